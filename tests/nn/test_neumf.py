"""The loss of the factorisation beside plain loops over pairs."""

import numpy as np
import pytest
import torch
from tests.contracts.worlds import world

from encorec.nn.neumf import FactorisationTask
from encorec.nn.neumf_config import FactorisationConfig
from encorec.retrieval.user_order import order_by_deeds

TABLE = world().interactions
CONFIG = FactorisationConfig(embedding_size=5, hidden=6, negatives=7, alpha=0.7)


def test_only_items_that_the_user_never_took_are_set_against_the_taken_one() -> None:
    order = order_by_deeds(TABLE)
    held_out = order[TABLE.user_counts[order] > 3][:20]
    task = FactorisationTask(TABLE, order, held_out, CONFIG, "both", np.random.default_rng(0))
    batch = task.rows[np.random.default_rng(1).permutation(len(task.rows))[:50]]
    drawn = task.sampler.draw((50, 7), np.random.default_rng(2))
    total, left_out = 0.0, 0
    for row, others in zip(batch, drawn, strict=True):
        user = int(TABLE.user[row])
        begun, ended = int(TABLE.indptr[user]), int(TABLE.indptr[user + 1]) - int(user in held_out)
        taken = set(TABLE.item[begun:ended].tolist())
        before = torch.tensor(TABLE.item[begun:row].astype(np.int64))
        weight = CONFIG.decay ** torch.arange(len(before) - 1, -1, -1)
        users = task.module.users(torch.tensor([0]), before, (weight / weight.sum()).float())
        item = torch.tensor([[int(TABLE.item[row]), *others.tolist()]])
        scores = task.module(users, item)[0].detach().double().numpy()
        kept = [score for score, one in zip(scores[1:], others, strict=True) if one not in taken]
        left_out += 7 - len(kept)
        total += (np.log1p(np.exp(-scores[0])) + sum(np.log1p(np.exp(one)) for one in kept)) / 8
    assert left_out > 20
    assert task.loss(batch, np.random.default_rng(2)).item() == pytest.approx(total / 50, rel=1e-5)
