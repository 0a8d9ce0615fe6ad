"""A generated data set beside the published figures of KION, scaled to its size."""

from typing import TypeAlias

import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions, distinct
from encorec.data.synthetic.figures import ITEMS, ITEMS_WATCHED, PROFILES_OF_IDLE, ROWS, USERS
from encorec.types import IntVector

__all__ = ["GENERATED", "beside_target"]

GENERATED = "synthetic-kion"
"""Name of generated data sets."""

_DAY = 86_400
_TOP = ((1, 0.037), (10, 0.187), (50, 0.323), (100, 0.399), (157, 0.456), (500, 0.641), (1000, 0.769), (1571, 0.850),
        (3000, 0.944), (5000, 0.981))  # fmt: skip
_VIEWS_AT = ((0.001, 25_719), (0.01, 4_688), (0.05, 1_315), (0.1, 606), (0.2, 178), (0.3, 58), (0.5, 12))
_DAILY_USERS = ((0, 10_000), (20, 9_000), (37, 9_000), (48, 15_000), (79, 20_000), (94, 44_000), (95, 28_000),
                (110, 50_000), (141, 34_000), (155, 39_000), (162, 42_500))  # fmt: skip
_NEW_USERS = ((0, 10_000), (33, 3_000), (60, 5_000), (94, 13_000), (120, 7_500))
_NEW_ITEMS = ((5, 20, 170), (49, 79, 45), (141, 163, 20))
_FOLDS = (
    (141, {"train_rows": 4_203_885, "new_users": 53_408, "new_user_rows": 112_764, "new_item_rows": 7_020}),
    (148, {"train_rows": 4_587_708, "new_users": 54_662, "new_user_rows": 111_580, "new_item_rows": 9_282}),
    (155, {"train_rows": 4_985_269, "new_users": 56_014, "new_user_rows": 116_629, "new_item_rows": 5_954}),
)
_DESCRIBED = 840_197
_SEGMENTS = {
    "age": {"age_18_24": 127_672, "age_25_34": 233_926, "age_35_44": 207_043, "age_45_54": 135_925, "age_55_64": 75_265,
            "age_65_inf": 46_271},
    "income": {"income_0_20": 21_836, "income_20_40": 471_519, "income_40_60": 248_330, "income_60_90": 68_674,
               "income_90_150": 13_985, "income_150_inf": 1_077},
    "sex": {"F": 425_270, "M": 401_096},
}  # fmt: skip
_KIDS = 252_988
_ABSENT = {"release_year": 98, "countries": 37, "age_rating": 2, "for_kids": 15_397}

Beside: TypeAlias = dict[str, float]


def beside_target(data: Dataset) -> dict[str, dict[str, Beside]]:
    """Figures of a generated data set, each with what KION has, counts scaled by its number of active users.

    Popularity is compared for whole catalogues only, and its tail at KION's size only, for they depend on these.

    Args:
        data: generated.

    Returns:
        group -> figure -> ``generated`` and ``target``.

    Example:
        >>> found = beside_target(Dataset.of(Interactions.of([0, 0], [0, 1], [1_615_593_600, 1_615_680_000])))
        >>> found["users"]["interactions_mean"]
        {'generated': 2.0, 'target': 5.69}
    """
    table = data.interactions
    active = table.user_counts[table.user_counts > 0]
    if not len(active):
        return {}
    scale = len(active) / USERS
    day = (table.time - table.time.min()) // _DAY
    return {
        "users": _users(active, len(data.users)),
        "items": _items(table.item_counts, len(table) / ROWS),
        "segments": _segments(data.user_features),
        "missing": _missing(data.item_features),
        "days": _days(table.user, table.item, day, scale),
        **{f"week_from_day_{start}": _fold(table, day, start, target, scale) for start, target in _FOLDS},
    }


def _beside(generated: float, target: float) -> Beside:
    """Both figures with four digits; counts from 100 on as whole numbers."""
    figures = {"generated": float(generated), "target": float(target)}
    return {name: float(f"{one:.4g}") if abs(one) < 100 else round(one) for name, one in figures.items()}


def _users(active: IntVector, everybody: int) -> dict[str, Beside]:
    return {
        "active_share": _beside(len(active) / everybody, USERS / (USERS + PROFILES_OF_IDLE)),
        "interactions_mean": _beside(float(active.mean()), 5.69),
        "interactions_median": _beside(float(np.median(active)), 2),
        "interactions_max": _beside(int(active.max()), 1_341),
    }


def _items(counts: IntVector, scale: float) -> dict[str, Beside]:
    views = np.sort(counts)[::-1]
    if len(views) != ITEMS:
        return {}
    found = {f"top_{n}_share": _beside(views[:n].sum() / views.sum(), target) for n, target in _TOP}
    found |= {f"views_at_{at:.1%}": _beside(views[int(at * ITEMS_WATCHED)], n * scale) for at, n in _VIEWS_AT}
    if 0.98 < scale < 1.02:
        found["gini"] = _beside(_gini(views[views > 0]), 0.905)
        found["watched"] = _beside(int((views > 0).sum()), ITEMS_WATCHED)
        found["with_one_view"] = _beside(int((views == 1).sum()), 2_257)
    return found


def _gini(descending: IntVector) -> float:
    n = len(descending)
    return 1 - 2 * float(np.cumsum(descending[::-1]).sum() / descending.sum()) / n + 1 / n


def _segments(features: FeatureTable) -> dict[str, Beside]:
    if "kids_flg" not in features.numeric:
        return {}
    kids = features.numeric["kids_flg"]
    described = int((~np.isnan(kids)).sum())
    found = {"with_kids": _beside(float(np.nansum(kids)) / described, _KIDS / _DESCRIBED)}
    for name, shares in _SEGMENTS.items():
        column = features.categorical[name]
        counts = dict(
            zip(column.values, np.bincount(column.code[column.code >= 0], minlength=len(column.values)), strict=True)
        )
        found |= {one: _beside(counts.get(one, 0) / described, n / _DESCRIBED) for one, n in shares.items()}
        unknown = described - int((column.code >= 0).sum())
        found[f"{name}_unknown"] = _beside(unknown / described, 1 - sum(shares.values()) / _DESCRIBED)
    return found


def _missing(features: FeatureTable) -> dict[str, Beside]:
    absent = {name: float(np.isnan(column).mean()) for name, column in features.numeric.items()}
    absent |= {name: float((column.lists.lengths == 0).mean()) for name, column in features.tags.items()}
    return {name: _beside(absent[name], count / ITEMS) for name, count in _ABSENT.items() if name in absent}


def _days(user: IntVector, item: IntVector, day: IntVector, scale: float) -> dict[str, Beside]:
    """Distinct and new users of some days, first views of items in some periods; the latter are not scaled."""
    visits = distinct(user.astype(np.int64) * 512 + day)
    first = visits[np.concatenate([[True], np.diff(visits // 512) > 0])] % 512
    come, new = np.bincount(visits % 512, minlength=163), np.bincount(first, minlength=163)
    found = {f"users_on_day_{at}": _beside(int(come[at]), n * scale) for at, n in _DAILY_USERS}
    found |= {f"new_users_on_day_{at}": _beside(int(new[at]), n * scale) for at, n in _NEW_USERS}
    fresh = np.bincount(_first_days(item, day), minlength=163)
    for start, stop, n in _NEW_ITEMS:
        found[f"new_items_daily_{start}_to_{stop - 1}"] = _beside(float(fresh[start:stop].mean()), n)
    return found


def _first_days(rows: IntVector, day: IntVector) -> IntVector:
    """First day of every row that occurs."""
    first = np.full(int(rows.max()) + 1, 512)
    np.minimum.at(first, rows, day)
    return first[first < 512]


def _fold(table: Interactions, day: IntVector, start: int, target: dict[str, int], scale: float) -> dict[str, Beside]:
    user, item = table.user, table.item
    past, week = day < start, (day >= start) & (day < start + 7)
    old_user, old_item = np.zeros(table.users, bool), np.zeros(table.items, bool)
    old_user[user[past]], old_item[item[past]] = True, True
    new = user[week & ~old_user[user]]
    figures = {
        "train_rows": int(past.sum()),
        "new_users": len(distinct(new)),
        "new_user_rows": len(new),
        "new_item_rows": int((week & ~old_item[item]).sum()),
    }
    return {name: _beside(figures[name], n * scale) for name, n in target.items()}
