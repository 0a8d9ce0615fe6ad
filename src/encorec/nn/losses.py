"""What a network is punished for: taken items that do not stand above others."""

from encorec.nn.torch_package import torch

__all__ = ["bpr_loss", "gbce_loss", "in_batch_softmax", "sampled_softmax", "triplet_loss"]

Tensor = torch.Tensor


def triplet_loss(taken: Tensor, others: Tensor, margin: float) -> Tensor:
    """Mean of ``max(0, margin - taken + other)`` over all pairs: schroff2015, equation 3, in scores.

    Args:
        taken: (m,) scores of the taken items.
        others: (m, n) scores of other items; ``-inf`` = leave the pair out.
        margin: by which a taken item is to stand above another.

    Example:
        >>> float(triplet_loss(torch.tensor([1.0]), torch.tensor([[0.5, 0.0]]), 0.75))
        0.125
    """
    return _mean_of_pairs(torch.relu(margin - taken[:, None] + others), others)


def bpr_loss(taken: Tensor, others: Tensor) -> Tensor:
    """Mean of ``-log sigmoid(taken - other)`` over all pairs: rendle2009, section 4.1.

    Args:
        taken: (m,) scores of the taken items.
        others: (m, n) scores of other items; ``-inf`` = leave the pair out.

    Example:
        >>> round(float(bpr_loss(torch.tensor([2.0]), torch.tensor([[2.0]]))), 4)
        0.6931
    """
    return _mean_of_pairs(torch.nn.functional.softplus(others - taken[:, None]), others)


def in_batch_softmax(scores: Tensor, place: Tensor, count: Tensor, log_q: Tensor) -> Tensor:
    """Cross-entropy of picking one's own item among those of the batch: yi2019.

    An item that several examples took counts once for each of them, but for one that took it itself: once.

    Args:
        scores: (m, n) of every example for every distinct item of the batch.
        place: (m,) int64 column of an example's own item.
        count: (n,) how many examples took each.
        log_q: (n,) logarithm of how often each item comes up, which is taken from its scores; zeros = no correction.

    Example:
        >>> even = torch.zeros(2, 2)
        >>> round(float(in_batch_softmax(even, torch.tensor([0, 1]), torch.ones(2), torch.zeros(2))), 4)
        0.6931
        >>> float(in_batch_softmax(even[:, :1], torch.tensor([0, 0]), torch.tensor([2]), torch.zeros(1)))
        0.0
    """
    repeated = torch.log(count.to(log_q.dtype))
    logits = (scores + (repeated - log_q)).scatter_add(1, place[:, None], -repeated[place][:, None])
    return torch.nn.functional.cross_entropy(logits, place)


def sampled_softmax(taken: Tensor, others: Tensor, log_q_taken: Tensor, log_q_others: Tensor) -> Tensor:
    """Cross-entropy of picking the taken item among sampled ones, corrected for how often those are sampled.

    Source: jean2015: the logarithm of the expected count is taken from every score.

    Args:
        taken: (m,) scores of the taken items.
        others: (m, n) scores of sampled items; ``-inf`` = leave it out.
        log_q_taken: (m,) logarithm of the probability that a draw is the taken item.
        log_q_others: (m, n) or (n,) of the sampled items.

    Example:
        >>> taken, others = torch.zeros(1), torch.zeros(1, 3)
        >>> round(float(sampled_softmax(taken, others, torch.zeros(1), torch.zeros(3))), 4)
        1.3863
    """
    first = taken - log_q_taken
    logits = torch.cat([first[:, None], others - log_q_others], dim=1)
    return (torch.logsumexp(logits, dim=1) - first).mean()


def gbce_loss(taken: Tensor, others: Tensor, sampled: float, calibration: float) -> Tensor:
    """Generalised binary cross-entropy, which does not grow too sure of itself for want of negatives.

    Source: petrov2023; calibration 0 is plain binary cross-entropy.

    Args:
        taken: (m,) scores of the taken items.
        others: (m, n) scores of sampled items; ``-inf`` = leave it out.
        sampled: share of the catalogue that is sampled, in (0, 1].
        calibration: t in [0, 1]; 1 = probabilities as without sampling.

    Example:
        >>> taken, others = torch.zeros(1), torch.zeros(1, 1)
        >>> round(float(gbce_loss(taken, others, 0.5, 0.0)), 4), round(float(gbce_loss(taken, others, 0.5, 1.0)), 4)
        (0.6931, 0.5199)
    """
    beta = sampled * (calibration * (1 - 1 / sampled) + 1 / sampled)  # petrov2023
    softplus = torch.nn.functional.softplus
    return ((beta * softplus(-taken) + softplus(others).sum(dim=1)) / (1 + others.shape[1])).mean()


def _mean_of_pairs(cost: Tensor, others: Tensor) -> Tensor:
    kept = others > -torch.inf
    return torch.where(kept, cost, 0).sum() / kept.sum().clamp(min=1)
