"""Logs of policies whose truth is known."""

from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass(frozen=True)
class World:
    """A log, the target policy by context, and what the target earns."""

    log: pl.DataFrame
    policy: pl.DataFrame
    truth: float
    logged_truth: float


def contextual_world(seed: int, rows: int = 2000, actions: int = 4) -> World:
    """Two contexts, in which other actions are good."""
    rng = np.random.default_rng(seed)
    rate = np.array([[0.1, 0.2, 0.3, 0.6], [0.7, 0.1, 0.2, 0.1]])[:, :actions]
    logged = np.array([[0.4, 0.3, 0.2, 0.1], [0.2, 0.3, 0.3, 0.2]])
    target = np.array([[0.1, 0.1, 0.2, 0.6], [0.7, 0.1, 0.1, 0.1]])
    context = rng.integers(0, 2, rows)
    action = (logged[context].cumsum(axis=1) < rng.random(rows)[:, None]).sum(axis=1).clip(max=actions - 1)
    names = np.array(["a", "b", "c", "d"])
    log = pl.DataFrame(
        {
            "action": names[action],
            "reward": (rng.random(rows) < rate[context, action]).astype(int),
            "propensity": logged[context, action],
            "city": np.array(["Riga", "Oslo"])[context],
        }
    )
    policy = pl.DataFrame(
        {
            "city": np.repeat(["Riga", "Oslo"], actions),
            "action": np.tile(names, 2),
            "probability": target.ravel(),
        }
    )
    truth, logged_truth = (float((one * rate).sum(axis=1).mean()) for one in (target, logged))
    return World(log, policy, truth, logged_truth)


def slate_world(seed: int, slates: int = 3000) -> World:
    """Two positions filled independently from three items; users read from the top and stop at a click."""
    rng = np.random.default_rng(seed)
    logged, target, appeal = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5]), np.array([0.1, 0.4, 0.7])
    shown = np.array([(one < rng.random((slates, 2))[..., None]).sum(axis=2) for one in [logged.cumsum()[:2]]])[0]
    first = rng.random(slates) < appeal[shown[:, 0]]
    second = ~first & (rng.random(slates) < appeal[shown[:, 1]])
    log = pl.DataFrame(
        {
            "request_id": np.repeat(np.arange(slates), 2),
            "position": np.tile([1, 2], slates),
            "action": shown.ravel(),
            "propensity": logged[shown].ravel(),
            "reward": np.column_stack([first, second]).ravel().astype(int),
        }
    )
    policy = pl.DataFrame({"action": [0, 1, 2] * 2, "position": [1] * 3 + [2] * 3, "probability": np.tile(target, 2)})
    mean = float(target @ appeal)
    before = float(logged @ appeal)
    return World(log, policy, mean + (1 - mean) * mean, before + (1 - before) * before)
