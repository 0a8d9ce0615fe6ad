"""Where there is nothing to learn the verdict says so, and the best retriever's order is served."""

import numpy as np
import pytest
from benchmarks.quality.bench_no_signal import exchanged, judged, shuffled_log


@pytest.mark.parametrize("seed", [0, 1])
def test_no_better_and_the_best_retriever_is_served(seed: int) -> None:
    found = judged(seed)
    assert not found["win"]
    assert found["falls_back"]


def test_exchanges_hold_both_margins_and_leave_nothing_else() -> None:
    user = np.repeat(np.arange(60), 8)
    item = np.concatenate([np.arange(8) + 8 * (one % 3) for one in range(60)])  # three groups, each with its own items
    rng = np.random.default_rng(0)
    mixed = exchanged(user, item, rng)
    assert np.bincount(mixed).tolist() == np.bincount(item).tolist()
    assert len(set(zip(user.tolist(), mixed.tolist(), strict=True))) == len(item)
    same = (mixed // 8 == (user % 3)).mean()
    assert abs(same - 1 / 3) < 0.08  # an item of one's own group is as frequent as chance has it


def test_a_log_repeats_by_its_seed() -> None:
    assert shuffled_log(3).fingerprint == shuffled_log(3).fingerprint != shuffled_log(4).fingerprint
