"""The decision for whom another order than the ranker's is served.

The newest label fold grew no tree and is compared user by user. Two rules, by what the ranker has learnt from:

- It learnt from ``LEAST`` queries with histories of this length, or from fewer if they are a tenth of all: it keeps
  them, unless a source is better in a paired test at ``LEVEL``. The test looks at all sources at once (the largest of
  their statistics), so that of many sources one does not win by chance; fewer than ``LEAST`` users say nothing.
- It has hardly met this length: then the best list that is the same for everybody is served. The ranker or another
  order takes its place if it is better in the same test, and if those users of the fold who really have such a history
  do not say otherwise: histories cut short are those of users who go on, and whoever has just come may differ. Without
  such a list the best order is served, unless the ranker is better than it. Of histories longer than all it has met,
  the ranker knows more than any list, so it keeps them.

Signs of the differences are drawn anew (smucker2007: randomisation), the largest statistic of all sources counts
(westfall1993: maxT).
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from encorec.data.history_lengths import LENGTHS
from encorec.pipeline.fold_rows import FoldRows
from encorec.pipeline.routing import Route, Routing
from encorec.pipeline.routing_rows import LEAST, RoutingRows, offered_orders
from encorec.pipeline.score_calibration import calibrate_order, held_apart
from encorec.protocols import Ranker
from encorec.ranking.calibration import Calibration, CalibrationKind
from encorec.types import BoolVector, FloatMatrix, FloatVector

__all__ = ["choose_routes", "randomisation_p"]

LEVEL = 0.05
DRAWS, DRAWN_AT_ONCE = 9999, 500


def choose_routes(
    quotas: Mapping[str, int],
    popular: Sequence[str],
    kind: CalibrationKind,
    taught: Sequence[FoldRows],
    ranker: Ranker,
    seed: int,
) -> Routing | None:
    """Who orders, for every length of history; none where no label fold can tell.

    Args:
        quotas: items asked of each source.
        popular: sources that show everybody the same.
        kind: of the calibration; a routed query needs a map of its own, and is not routed where none can be learnt.
        taught: label folds that the ranker was fitted on, newest first; of a single one, users ``held_apart``.
        ranker: fitted.
        seed: of the training.

    Example:
        >>> choose_routes({"als": 9}, [], "none", [], ranker=None, seed=0) is None
        True
    """
    if not taught or (rows := taught[0].routing) is None:
        return None
    if len(taught) == 1 and (apart := held_apart(rows.user, seed)).any():
        rows = rows.take(apart)
    orders = offered_orders(quotas)
    lists = [name for name in popular if name in orders]
    counts = [sum(one.ceiling.taught.get(label, 0) for one in taught[1:] or taught) for label in LENGTHS]
    learnt = [count >= max(1.0, min(LEAST, sum(counts) / 10)) for count in counts]
    value = rows.of_ranker(ranker)
    told = [
        _route(place, rows, value, orders, lists, learnt, counts[place], np.random.default_rng([seed, 13, place]))
        for place in range(len(LENGTHS))
    ]
    maps = {
        one.events: calibrate_order(kind, taught, place, orders.index(one.order), seed)
        for place, one in enumerate(told)
        if one.order is not None
    }
    return _with_maps(tuple(told), maps, kind)


def randomisation_p(gain: FloatMatrix, tested: int, rng: np.random.Generator) -> float:
    """One-sided p of "on average the gain is not above 0", for one of several gains; 1 where its mean is not above 0.

    The share of draws of signs, one per user, in which the largest statistic of all gains is at least that of the
    tested one; a statistic is the sum over users by the root of the sum of squares, which no sign changes.

    Args:
        gain: (n, gains) differences of every user.
        tested: column in question.
        rng: of the signs.

    Example:
        >>> gain = np.array([[0.2, 0.0], [0.1, -0.3], [0.3, 0.1], [0.2, 0.0], [0.4, 0.1], [0.1, -0.2]])
        >>> 0.01 < randomisation_p(gain, 0, np.random.default_rng(0)) < 0.04
        True
    """
    told = gain[(gain != 0).any(axis=1)]
    scale = np.sqrt((told**2).sum(axis=0))
    unit = np.divide(told, scale, out=np.zeros_like(told), where=scale > 0)
    seen = unit[:, tested].sum() * (1 - 1e-9)  # a tie is a tie, whatever the order of addition
    if not seen > 0:
        return 1.0
    reached = 0
    for start in range(0, DRAWS, DRAWN_AT_ONCE):
        signs = rng.integers(0, 2, (min(DRAWN_AT_ONCE, DRAWS - start), len(unit)), np.int8) * 2.0 - 1
        reached += int(((signs @ unit).max(axis=1) >= seen).sum())  # smucker2007, westfall1993
    return (1 + reached) / (1 + DRAWS)  # davison1997


def _route(
    place: int,
    rows: RoutingRows,
    ranker: FloatVector,
    orders: Sequence[str],
    lists: Sequence[str],
    learnt: Sequence[bool],
    taught: int,
    rng: np.random.Generator,
) -> Route:
    """The decision for one length."""
    known, beyond = learnt[place], not any(learnt[place:])
    here = (rows.place == place) & ~(rows.shortened & known)
    queries, shortened = int(here.sum()), int(rows.shortened[here].sum())
    route = Route(events=list(LENGTHS)[place], order=None, queries=queries, shortened=shortened, taught=taught)
    served = None if known or beyond else _best_list(rows, here, orders, lists)
    if not orders or not queries:
        return msgspec.structs.replace(route, order=served)
    value, own = rows.value[here], ranker[here]
    if served is not None:
        order, best, p = _beside_list(value, own, ~rows.shortened[here], orders, served, lists, rng)
    else:
        order, best, p = _beside_ranker(value, own, orders, known or beyond, rng)
    if queries < LEAST or (beyond and not known):
        order = served
    mean = float(value[:, orders.index(best)].mean())
    return msgspec.structs.replace(route, order=order, ranker=float(own.mean()), best=best, mean=mean, p=p)


def _beside_list(
    value: FloatMatrix,
    own: FloatVector,
    real: BoolVector,
    orders: Sequence[str],
    served: str,
    lists: Sequence[str],
    rng: np.random.Generator,
) -> tuple[str | None, str, float]:
    """Who takes the place of a list, the list, and p that the best challenger is better."""
    challengers = [name for name in orders if name not in lists]
    theirs = np.column_stack([own, *(value[:, orders.index(name)] for name in challengers)])
    gain = theirs - value[:, [orders.index(served)]]
    best = int(gain.mean(axis=0).argmax())
    p = randomisation_p(gain, best, rng)
    against = real.any() and gain[real, best].mean() < 0
    order = None if best == 0 else challengers[best - 1]
    return served if against or p >= LEVEL else order, served, p


def _beside_ranker(
    value: FloatMatrix, own: FloatVector, orders: Sequence[str], taught: bool, rng: np.random.Generator
) -> tuple[str | None, str, float]:
    """Who takes the ranker's place, the best other order, and p that it is better; untaught, that the ranker is."""
    gain = value - own[:, None]
    best = int(gain.mean(axis=0).argmax())
    p = randomisation_p(gain, best, rng) if taught else randomisation_p(-gain[:, [best]], 0, rng)
    return orders[best] if (p < LEVEL) == taught else None, orders[best], p


def _best_list(rows: RoutingRows, here: BoolVector, orders: Sequence[str], lists: Sequence[str]) -> str | None:
    """The list that is best for those who really have such a history; where they are few, for everybody."""
    real = here & ~rows.shortened
    asked = rows.value[real] if np.count_nonzero(real) >= LEAST else rows.value
    return max(lists, key=lambda name: asked[:, orders.index(name)].sum(), default=None)


def _with_maps(told: tuple[Route, ...], maps: Mapping[str, Calibration | None], kind: CalibrationKind) -> Routing:
    kept = [
        one if kind == "none" or maps.get(one.events) is not None else msgspec.structs.replace(one, order=None)
        for one in told
    ]
    orders = {one.events: one.order for one in kept if one.order is not None}
    return Routing(orders, tuple(kept), {label: found for label, found in maps.items() if found is not None})
