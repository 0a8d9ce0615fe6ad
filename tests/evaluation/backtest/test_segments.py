"""Groups of users and items: everybody is in one, the limits are those that were given, the unknown have their own."""

from dataclasses import replace

import numpy as np
import pytest
from tests.worlds import small_world

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable
from encorec.data.interactions import Interactions
from encorec.data.splits import LastN, TimeCut
from encorec.errors import ConfigError
from encorec.evaluation.backtest.segments import UserSegments, item_ages
from encorec.evaluation.backtest.settings import SegmentsConfig

DATA = small_world()
FOLD = TimeCut(days=55, drop_cold_users=False).folds(DATA)[0]
DAY = 86_400


def test_users_are_grouped_by_the_length_of_their_past() -> None:
    group = UserSegments(SegmentsConfig(history=(5, 12)), DATA).of(FOLD)["history"]
    assert group.values == ("new: no past", "light: 1 to 4", "5 to 11", "heavy: 12 or more")
    lengths = FOLD.history.lengths
    wanted = [0 if n == 0 else 1 if n < 5 else 2 if n < 12 else 3 for n in lengths.tolist()]
    assert group.code.tolist() == wanted
    assert 0 in wanted


@pytest.mark.parametrize(
    ("limits", "labels"),
    [
        ((), ("new: no past", "1 or more")),
        ((2,), ("new: no past", "light: 1", "heavy: 2 or more")),
        ((2, 3), ("new: no past", "light: 1", "2", "heavy: 3 or more")),
    ],
)
def test_labels_of_any_number_of_limits(limits: tuple[int, ...], labels: tuple[str, ...]) -> None:
    assert UserSegments(SegmentsConfig(history=limits), DATA).of(FOLD)["history"].values == labels


def test_without_limits_a_third_of_all_users_is_light() -> None:
    group = UserSegments(SegmentsConfig(), DATA).of(LastN().folds(DATA)[0])["history"]
    shares = np.bincount(group.code, minlength=4) / len(group.code)
    assert shares[0] == 0
    assert all(0.2 < share < 0.5 for share in shares[1:])


def test_users_who_all_did_the_same_are_one_segment() -> None:
    data = Dataset.of(Interactions.of([0, 1, 2], [0, 0, 1], [1, 2, 3]))
    [group] = UserSegments(SegmentsConfig(), data).of(TimeCut(share=0.3, drop_cold_users=False).folds(data)[0]).values()
    assert group.values == ("new: no past", "1 or more")


def test_every_category_and_the_unknown_are_segments() -> None:
    group = UserSegments(SegmentsConfig(), DATA).of(FOLD)["sex"]
    assert group.values == ("F", "M", "all others", "missing")
    code = DATA.user_features.categorical["sex"].code[FOLD.user]
    assert group.code.tolist() == np.where(code < 0, 3, code).tolist()


def test_rare_categories_are_put_together_under_a_name_of_their_own() -> None:
    jobs = ["all others", "nurse", "nurse", "missing", "clerk", "clerk", None] * 40
    features = FeatureTable(300, categorical={"job": Categories.of([*jobs, *["nurse"] * 20])})
    data = replace(DATA, user_features=features)
    group = UserSegments(SegmentsConfig(values=2), data).of(FOLD)["job"]
    assert group.values == ("clerk", "nurse", "all others", "missing")
    every = UserSegments(SegmentsConfig(values=9), data).of(FOLD)["job"]
    assert every.values == ("all others", "clerk", "missing", "nurse", "(all others)", "(missing)")


def test_numbers_are_split_where_asked_for() -> None:
    group = UserSegments(SegmentsConfig(users=("age",)), DATA).of(FOLD)["age"]
    age = DATA.user_features.numeric["age"][FOLD.user]
    low, high = (float(label.split()[1]) for label in (group.values[0], f"below {group.values[2].split()[0]}"))
    wanted = np.where(np.isnan(age), 3, np.digitize(age, [low, high]))
    assert group.code.tolist() == wanted.tolist()
    assert group.values[-1] == "missing"


def test_an_unknown_feature_is_named_with_its_neighbour() -> None:
    with pytest.raises(
        ConfigError, match=r"evaluation\.segments\.users: unknown user feature 'agee': did you mean 'age'"
    ):
        UserSegments(SegmentsConfig(users=("agee",)), DATA)


@pytest.mark.parametrize("limits", [(5, 5), (9, 3), (1,), (0,)])
def test_limits_must_rise(limits: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"segments.history is .*, allowed are rising limits of 2 or more"):
        SegmentsConfig(history=limits)


def test_the_age_of_an_item_runs_from_anybodys_first_interaction() -> None:
    past, exam = [(0, 0, 0), (0, 1, 5 * DAY), (0, 2, 9 * DAY)], [(0, item, 10 * DAY) for item in (3, 1, 2, 0)]
    user, item, time = (list(column) for column in zip(*past, *exam, strict=True))
    fold = TimeCut(days=1 / DAY, drop_seen=False).folds(Dataset.of(Interactions.of(user, item, time)))[0]
    ages = item_ages(SegmentsConfig(item_age=(1, 5)), fold)
    assert ages.values == ("cold: not met before", "under 1 days", "1 to 5 days", "5 days or more")
    assert dict(zip(fold.truth.item.tolist(), ages.code.tolist(), strict=True)) == {0: 3, 1: 3, 2: 2, 3: 0}


def test_ages_without_limits_tell_only_the_cold() -> None:
    assert item_ages(SegmentsConfig(item_age=()), FOLD).values == ("cold: not met before", "met before")
