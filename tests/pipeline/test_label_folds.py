"""Rows by strategy, by grade, by weight and by age, and an error for every wish that the data cannot fulfil."""

from dataclasses import replace
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.worlds import DAY, small_run, small_world

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.data.splits import Fold, LastN, RollingTime, TimeCut, earlier_folds
from encorec.errors import ConfigError, DataError
from encorec.pipeline.fit import PipelineConfig, TrainingConfig, fit_first_stage, fit_ranker
from encorec.pipeline.fold_rows import FoldRows
from encorec.pipeline.label_folds import fold_rows, refuse_unteachable
from encorec.pipeline.two_stage import FirstStage
from encorec.workflow import examine

DATA = small_world()


def training(**changes: Any) -> PipelineConfig:
    settings = {"folds": 3, "negatives": 5, "guard": False, **changes}
    return msgspec.structs.replace(small_run().pipeline, training=TrainingConfig(**settings))


@pytest.fixture(scope="module")
def fold() -> Fold:
    return LastN(n=2).folds(DATA)[-1]


@pytest.fixture(scope="module")
def first(fold: Fold) -> FirstStage:
    return fit_first_stage(training(), fold.past, seed=0)


@pytest.fixture(scope="module")
def plain(fold: Fold, first: FirstStage) -> FoldRows:
    return fold_rows(training(), fold, first, seed=0)


@pytest.mark.parametrize("strategy", ["all", "popularity", "hard"])
def test_every_strategy_keeps_what_was_taken_and_the_ceiling(
    strategy: str, fold: Fold, first: FirstStage, plain: FoldRows
) -> None:
    part = fold_rows(training(strategy=strategy), fold, first, seed=0)
    assert part.ceiling == plain.ceiling
    taken, others = (one.rows.features[one.rows.label > 0] for one in (part, plain))
    np.testing.assert_array_equal(taken, others)
    assert part.rows.features.tobytes() != plain.rows.features.tobytes()
    sizes = np.unique(part.rows.group, return_counts=True)[1]
    assert (sizes.max() > 20) == (strategy == "all")


def test_hard_ones_are_placed_higher_and_popular_ones_are_more_popular(
    fold: Fold, first: FirstStage, plain: FoldRows
) -> None:
    column = {name: first.features.names.index(name) for name in ("rrf", "item_events")}

    def mean(part: FoldRows, name: str) -> float:
        return float(np.nanmean(part.rows.features[part.rows.label == 0, column[name]]))

    hard = fold_rows(training(strategy="hard", hard_share=1.0), fold, first, seed=0)
    popular = fold_rows(training(strategy="popularity", popularity_power=2.0), fold, first, seed=0)
    assert mean(hard, "rrf") > 1.3 * mean(plain, "rrf")
    assert mean(popular, "item_events") > 1.2 * mean(plain, "item_events")


def strengths(fold: Fold, data: Dataset) -> dict[tuple[int, int], float]:
    """Summed weight of what every user did with an item after the cut."""
    after, told = ~np.isin(data.interactions.row, fold.past.interactions.row), {}
    table = data.interactions
    for user, item, weight in zip(table.user[after], table.item[after], table.weight[after], strict=True):
        told[int(user), int(item)] = told.get((int(user), int(item)), 0.0) + float(weight)
    return told


@pytest.mark.parametrize("split", [LastN(n=3), TimeCut(days=20)])
def test_the_strength_of_the_truth_is_the_summed_weight_of_its_interactions(split: Any) -> None:
    table = DATA.interactions
    columns: list[Any] = [np.tile(one, 2) for one in (table.user, table.item, table.time, table.weight)]
    twice = replace(DATA, interactions=Interactions.of(*columns, users=table.users, items=table.items))
    fold = split.folds(twice, drop_seen=False)[-1]
    told = strengths(fold, twice)
    assert fold.strength is not None
    for place, (query, item) in enumerate(zip(fold.truth.owner, fold.truth.item, strict=True)):
        assert fold.strength[place] == told[int(fold.user[query]), int(item)]
    part = fold.take(np.array([3, 1]))
    assert part.strength is not None
    wanted = [told[int(part.user[query]), int(item)] for query in (0, 1) for item in part.truth.row(query)]
    assert part.strength.tolist() == wanted


def test_grades_and_weights_come_from_the_strength(fold: Fold, first: FirstStage, plain: FoldRows) -> None:
    graded = fold_rows(training(labels="grades", grades=(2.0, 3.0)), fold, first, seed=0)
    weighed = fold_rows(training(labels="weight"), fold, first, seed=0)
    for part in (graded, weighed):
        np.testing.assert_array_equal(part.rows.features, plain.rows.features)
    taken = plain.rows.label > 0
    assert set(graded.rows.label[taken].tolist()) == {1, 2, 3}  # the small world has the weights 1, 2 and 3
    assert (graded.rows.label[~taken] == 0).all()
    weight = weighed.rows.weight
    assert weight is not None
    assert (weight[~taken] == 1).all()
    assert weight[taken] == pytest.approx(graded.rows.label[taken] / graded.rows.label[taken].mean())
    assert weighed.rows.label.tolist() == plain.rows.label.tolist()


@pytest.mark.parametrize("labels", ["weight", "grades"])
def test_a_fold_whose_strengths_are_not_known_is_refused(labels: str, fold: Fold, first: FirstStage) -> None:
    config = training(labels=labels, **({"grades": (2.0,)} if labels == "grades" else {}))
    for strength in (None, np.ones(3, np.float32)):
        with pytest.raises(DataError, match=f"labels is '{labels}', but the weights of its .* wanted items are not"):
            fold_rows(config, replace(fold, strength=strength), first, seed=0)


def shown_log(extra: int = 4) -> Interactions:
    """Everybody was shown all that he took, a minute before, and as many other items."""
    table, rng = DATA.interactions, np.random.default_rng(5)
    user, time = np.tile(table.user, extra), np.tile(table.time - 60, extra)
    item = np.concatenate([table.item, rng.integers(0, 140, (extra - 1) * len(table))])
    return Interactions.of(user, item, time, users=table.users, items=table.items)


def test_impressions_of_the_exam_are_learnt_from_first() -> None:
    data = replace(DATA, impressions=shown_log())
    fold = TimeCut(days=40).folds(data)[-1]
    first, config = fit_first_stage(training(), fold.past, seed=0), training(strategy="impressions", negatives=3)
    part = fold_rows(config, fold, first, seed=0)
    plain = fold_rows(training(negatives=3), fold, first, seed=0)
    assert part.ceiling == plain.ceiling
    assert part.rows.features.tobytes() != plain.rows.features.tobytes()
    assert fold.shown is not None
    begin, log = int(fold.now[0]), data.impressions
    assert log is not None
    for query in range(0, len(fold), 9):
        mine = (log.user == fold.user[query]) & (log.time >= begin)
        assert fold.shown.row(query).tolist() == np.unique(log.item[mine]).tolist()
    assert fold.past.impressions is not None
    assert fold.past.impressions.time.max() < begin


def test_impressions_before_the_last_event_of_the_past_are_not_those_of_the_exam() -> None:
    data = replace(DATA, impressions=shown_log(1))
    test = LastN().folds(data)[-1]
    for fold in (test, next(earlier_folds(test, LastN()))):
        assert fold.shown is not None
        shown = [set(fold.shown.row(query).tolist()) for query in range(len(fold))]
        taken = [set(fold.truth.row(query).tolist()) for query in range(len(fold))]
        early = [set(fold.history.items(query).tolist()) for query in range(len(fold))]
        assert sum(map(set.__le__, taken, shown)) > 0.95 * len(fold)  # all but those taken within a minute
        assert not any(map(set.__and__, shown, early))


@pytest.mark.parametrize("where", ["examine", "refuse", "fold"])
def test_without_a_log_of_impressions_the_strategy_is_refused_before_the_work(
    where: str, fold: Fold, first: FirstStage
) -> None:
    config = training(strategy="impressions")
    asked = {
        "examine": lambda: examine(small_run(training=config.training), DATA),
        "refuse": lambda: refuse_unteachable(config.training, DATA),
        "fold": lambda: fold_rows(config, fold, first, seed=0),
    }
    with pytest.raises(ConfigError, match=r"no log of what was shown; name its file in data\.impressions"):
        asked[where]()


def test_older_folds_count_less_and_the_newest_only_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    config, seen = training(half_life=10.0, folds=4), {}
    split = RollingTime(days=10, n=1)
    test = split.folds(DATA)[-1]
    folds = [test, *islice(earlier_folds(test, split), 2)]
    parts = [fold_rows(config, one, fit_first_stage(config, one.past, seed=0), seed=0) for one in folds]
    assert [part.asked for part in parts] == [int(one.now[0]) for one in folds]
    assert [round((parts[0].asked - part.asked) / DAY) for part in parts] == [0, 10, 20]

    def spy(_self: Any, rows: Any, *given: Any, watched: Any, **more: Any) -> str:
        seen.update(rows=rows, watched=watched)
        return "fitted"

    monkeypatch.setattr("encorec.ranking.catboost_ranker.CatBoostRanker.fit", spy)
    apart = msgspec.structs.replace(config.training, newest_teaches=False)
    fit_ranker(msgspec.structs.replace(config, training=apart), parts, ("any",), seed=0)
    assert seen["watched"] is parts[0].rows
    weight, sizes = seen["rows"].weight, [len(part.rows) for part in parts[1:]]
    assert weight[0] / weight[-1] == pytest.approx(2)
    assert (weight[: sizes[0]] == weight[0]).all()
    assert weight.mean() == pytest.approx(1)


def test_weights_and_the_time_of_asking_survive_a_checkpoint(fold: Fold, first: FirstStage, tmp_path: Any) -> None:
    from encorec.pipeline.checkpoints import Checkpoints

    part = fold_rows(training(labels="weight"), fold, first, seed=0)
    Checkpoints(tmp_path).kept(["key"], lambda: part)
    again = Checkpoints(tmp_path).kept(["key"], lambda: pytest.fail("made again"))
    assert again.asked == part.asked > 0
    np.testing.assert_array_equal(again.rows.weight, part.rows.weight)
