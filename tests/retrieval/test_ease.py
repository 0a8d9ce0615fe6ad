"""EASE against ridge regressions solved one by one, and its forms against each other."""

import msgspec
import numpy as np
import pytest
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks, dense_matrix, filled, merged
from tests.retrieval.held_weights import held_column, held_matrix

from encorec.config import decode
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.retrieval.ease import EASE, EASEConfig
from encorec.types import FloatMatrix

WORLD, CROWD = world(users=40, items=60, rows=600), world(users=90, items=60, rows=900)
REG = 20.0


def fitted(data: Dataset, config: EASEConfig) -> EASE:
    return EASE(config).fit(data, rng=np.random.default_rng(0))


def ridge_by_ridge(data: Dataset, items: list[int]) -> FloatMatrix:
    """(items, items) column j: the ridge regression of item j on all other ``items``; no closed form of EASE."""
    dense = dense_matrix(data)
    weights = np.zeros((data.interactions.items, data.interactions.items))
    for one in items:
        others = [item for item in items if item != one]
        known = dense[:, others]
        weights[others, one] = np.linalg.solve(known.T @ known + REG * np.eye(len(others)), known.T @ dense[:, one])
    return weights


def most_taken(data: Dataset, size: int) -> list[int]:
    counts = data.interactions.item_counts
    return sorted(sorted(range(len(counts)), key=lambda item: (-counts[item], item))[:size])


def test_weights_of_two_items_worked_by_hand() -> None:
    """Items 0 and 1 with three and two users, two of them shared: 2 / (3 + 1) one way, 2 / (2 + 1) the other."""
    data = Dataset.of(Interactions.of([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [1, 2, 3, 4, 5]))
    weights = fitted(data, EASEConfig(reg=1)).arrays()["weights"]
    assert weights == pytest.approx(np.array([[0, 2 / 4], [2 / 3, 0]]))


def test_dense_weights_are_ridge_regressions() -> None:
    items = list(range(WORLD.interactions.items))
    weights = fitted(WORLD, EASEConfig(reg=REG)).arrays()["weights"]
    assert np.abs(weights - ridge_by_ridge(WORLD, items)).max() < 1e-6


def test_only_the_most_taken_items_take_part() -> None:
    weights = fitted(WORLD, EASEConfig(reg=REG, max_items=30)).arrays()["weights"]
    assert np.abs(weights - ridge_by_ridge(WORLD, most_taken(WORLD, 30))).max() < 1e-6


@pytest.mark.parametrize("settings", [{}, {"decay": 0.5}, {"last": 2, "decay": 0.5}, {"last": 1}])
def test_scores_are_the_weighted_rows_of_the_history(settings: dict[str, float]) -> None:
    model = fitted(WORLD, EASEConfig(reg=REG, **settings))  # pyright: ignore[reportArgumentType]
    weights = ridge_by_ridge(WORLD, list(range(WORLD.interactions.items)))
    scores = model.scores(asks(WORLD, HISTORIES))
    for row, events in enumerate(HISTORIES):
        history = merged(events, model.config.decay, len(weights), model.config.last)
        assert scores[row] == pytest.approx(filled(history @ weights, WORLD), abs=1e-5)


def test_dual_form_gives_the_scores_of_the_primal_form() -> None:
    primal, dual = fitted(WORLD, EASEConfig(reg=REG)), fitted(WORLD, EASEConfig(reg=REG, neighbours=9))
    assert "inverse" in dual.arrays()
    queries = asks(WORLD, HISTORIES)
    assert np.abs(primal.scores(queries) - dual.scores(queries)).max() < 1e-5


def test_one_item_alone_says_nothing_of_itself_in_either_form() -> None:
    queries = asks(WORLD, [[(20, 4, 3.0)]])
    prior = filled(np.zeros(WORLD.interactions.items), WORLD)[20]
    for config in (EASEConfig(reg=REG), EASEConfig(reg=REG, neighbours=9)):
        assert fitted(WORLD, config).scores(queries)[0, 20] == pytest.approx(prior)


def test_dual_form_does_not_depend_on_users_without_a_past() -> None:
    config, queries = EASEConfig(reg=REG, neighbours=9), asks(WORLD, HISTORIES)
    table = WORLD.interactions
    more = Dataset.of(
        Interactions.of(table.user + 3, table.item, table.time, table.weight, users=90, items=table.items)
    )
    assert fitted(more, config).scores(queries).tolist() == fitted(WORLD, config).scores(queries).tolist()


def test_truncation_keeps_the_largest_weights_of_every_row() -> None:
    learnt = fitted(CROWD, EASEConfig(reg=REG, neighbours=9)).arrays()
    weights = fitted(CROWD, EASEConfig(reg=REG)).arrays()["weights"]
    for row in range(len(weights)):
        kept = slice(learnt["indptr"][row], learnt["indptr"][row + 1])
        largest = sorted(range(len(weights)), key=lambda item: (-abs(weights[row, item]), item))[:9]
        assert learnt["item"][kept].tolist() == largest
        assert learnt["value"][kept].tolist() == weights[row, largest].tolist()


def test_truncation_of_some_items_leaves_the_others_without_weights() -> None:
    learnt = fitted(CROWD, EASEConfig(reg=REG, neighbours=9, max_items=40)).arrays()
    inside = most_taken(CROWD, 40)
    assert set(learnt["item"].tolist()) <= set(inside)
    assert np.flatnonzero(np.diff(learnt["indptr"])).tolist() == inside


def test_truncated_scores_are_those_of_the_kept_weights() -> None:
    model = fitted(CROWD, EASEConfig(reg=REG, neighbours=9))
    learnt = model.arrays()
    weights = np.zeros((CROWD.interactions.items,) * 2)
    weights[np.repeat(np.arange(len(weights)), np.diff(learnt["indptr"])), learnt["item"]] = learnt["value"]
    scores = model.scores(asks(CROWD, HISTORIES))
    for row, events in enumerate(HISTORIES):
        expected = filled(merged(events, 1.0, len(weights)) @ weights, CROWD)
        assert scores[row] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "setting",
    [
        *({"reg": 0}, {"last": 0}, {"decay": 0}, {"decay": 1.5}, {"max_items": 0}, {"neighbours": 0}, {"nearest": 0}),
        *({"dropout": -0.1}, {"dropout": 1}, {"relaxation": -0.1}, {"relaxation": 1}),
    ],
)
def test_settings_out_of_bounds_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=rf"EASEConfig\.{next(iter(setting))} is"):
        EASEConfig(**setting)  # pyright: ignore[reportArgumentType]


FORMS = {
    "dense": EASEConfig(reg=REG),
    "truncated": EASEConfig(reg=REG, neighbours=9, form="dense"),
    "dual": EASEConfig(reg=REG, form="dual"),
    "local": EASEConfig(reg=REG, form="local", nearest=6),
}
FORMS |= {
    f"{name}, held": msgspec.structs.replace(config, dropout=0.4, relaxation=0.3) for name, config in FORMS.items()
}
TOGETHER = world(users=60, items=26, rows=2500)
HELD = [(0.4, 0.0), (0.0, 0.3), (0.4, 0.3), (0.9, 0.2)]


def whole_matrix(model: EASE, items: int) -> FloatMatrix:
    return model.similar(np.arange(items)).astype(np.float64)


def test_local_form_is_exact_where_every_item_was_taken_with_every_other() -> None:
    data = world(users=60, items=20, rows=1500)
    model = fitted(data, EASEConfig(reg=REG, form="local", nearest=20))
    assert np.abs(whole_matrix(model, 20) - ridge_by_ridge(data, list(range(20)))).max() < 1e-6


@pytest.mark.parametrize(("dropout", "relaxation"), [(0.0, 0.0), *HELD])
def test_local_form_is_the_ridge_regression_on_the_items_that_tell_most(dropout: float, relaxation: float) -> None:
    dense, items = dense_matrix(CROWD), CROWD.interactions.items
    gram = dense.T @ dense
    config = msgspec.structs.replace(FORMS["local"], dropout=dropout, relaxation=relaxation)
    found = whole_matrix(fitted(CROWD, config), items)
    for one in range(items):
        gain = gram[:, one] ** 2 / (np.diag(gram) * (1 + dropout / (1 - dropout)) + REG)
        others = [int(item) for item in np.argsort(-gain, kind="stable") if item != one and gain[item] > 0][:6]
        assert found[:, one] == pytest.approx(held_column(dense, one, others, config), abs=1e-6)


@pytest.mark.parametrize(("dropout", "relaxation"), HELD)
@pytest.mark.parametrize("form", ["dense", "dual", "local"])
def test_both_options_follow_their_definition_in_every_form(form: str, dropout: float, relaxation: float) -> None:
    config = EASEConfig(reg=REG, form=form, nearest=26, dropout=dropout, relaxation=relaxation)  # pyright: ignore[reportArgumentType]
    model, wanted, queries = fitted(TOGETHER, config), held_matrix(TOGETHER, config), asks(TOGETHER, HISTORIES)
    assert np.abs(whole_matrix(model, 26) - wanted).max() < 1e-5
    scores, asked = model.scores(queries), 4
    reasons = model.explain(queries, np.full(len(HISTORIES), asked))
    for row, events in enumerate(HISTORIES):
        history = merged(events, 1.0, 26)
        assert scores[row] == pytest.approx(filled(history @ wanted, TOGETHER), abs=1e-5)
        kept = slice(reasons.indptr[row], reasons.indptr[row + 1])
        shares = dict(zip(reasons.item[kept].tolist(), reasons.share[kept].tolist(), strict=True))
        assert shares == pytest.approx(
            {item: history[item] * wanted[item, asked] for item in np.flatnonzero(history).tolist()}, abs=1e-5
        )


@pytest.mark.parametrize(("dropout", "relaxation"), HELD)
def test_both_options_where_most_items_were_never_taken_together(dropout: float, relaxation: float) -> None:
    config = EASEConfig(reg=REG, dropout=dropout, relaxation=relaxation)
    wanted = held_matrix(WORLD, config)
    for form in ("dense", "dual"):
        model = fitted(WORLD, msgspec.structs.replace(config, form=form))
        assert np.abs(whole_matrix(model, len(wanted)) - wanted).max() < 1e-5


def test_relaxation_meets_items_of_both_kinds() -> None:
    """Some items of the world above would weigh more for themselves than 0.3, some less."""
    config = EASEConfig(reg=REG, dropout=0.4, relaxation=0.3)
    bound = held_matrix(TOGETHER, msgspec.structs.replace(config, relaxation=0.0))
    share = held_matrix(TOGETHER, config).sum(axis=0)[:21] / bound.sum(axis=0)[:21]
    assert (np.abs(share - 0.7) < 1e-9).any()
    assert (share > 0.71).any()


@pytest.mark.parametrize("form", ["dense", "dual", "local"])
def test_both_options_worked_by_hand(form: str) -> None:
    """Item 0 with three users, item 1 with two, both of them shared; penalties 1 + 3 and 1 + 2.

    The ridge weights of the items for themselves are 11 / 31, more than a third, and 10 / 31, less. So item 0 gets two
    thirds of 2 / (2 + 3) from item 1, and item 1 what the ridge regression on both gives to item 0.
    """
    data = Dataset.of(Interactions.of([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [1, 2, 3, 4, 5]))
    config = EASEConfig(reg=1, form=form, dropout=0.5, relaxation=1 / 3)  # pyright: ignore[reportArgumentType]
    assert whole_matrix(fitted(data, config), 2) == pytest.approx(np.array([[0, 6 / 31], [4 / 15, 0]]), abs=1e-6)
    config = msgspec.structs.replace(config, relaxation=0.0)
    assert whole_matrix(fitted(data, config), 2) == pytest.approx(np.array([[0, 2 / 7], [2 / 5, 0]]), abs=1e-6)


@pytest.mark.parametrize("name", FORMS)
def test_options_at_their_bounds_leave_finite_weights(name: str) -> None:
    for reg in (1e-3, 1e9):
        config = msgspec.structs.replace(FORMS[name], reg=reg, dropout=0.99, relaxation=0.99)
        assert np.isfinite(whole_matrix(fitted(CROWD, config), CROWD.interactions.items)).all()


def test_the_dual_form_learns_more_only_for_the_options() -> None:
    plain = fitted(WORLD, FORMS["dual"]).arrays().keys()
    assert fitted(WORLD, FORMS["dual, held"]).arrays().keys() - plain == {"ratio", "kept"}


def test_local_form_worked_by_hand() -> None:
    """Item 1 is fitted on item 0 alone, not on item 2: 2 ** 2 / (3 + 1) beats 1 / (1 + 1); it weighs 2 / (3 + 1)."""
    data = Dataset.of(Interactions.of([0, 0, 1, 1, 2, 0], [0, 1, 0, 1, 0, 2], [1, 2, 3, 4, 5, 6]))
    found = whole_matrix(fitted(data, EASEConfig(reg=1, form="local", nearest=1)), 3)
    assert found[:, 1].tolist() == [0.5, 0, 0]


@pytest.mark.parametrize("name", FORMS)
def test_reasons_are_weights_of_the_history_and_add_up(name: str) -> None:
    model = fitted(CROWD, msgspec.structs.replace(FORMS[name], decay=0.8))
    matrix, queries = whole_matrix(model, CROWD.interactions.items), asks(CROWD, HISTORIES)
    scores = model.scores(queries)
    for item in range(CROWD.interactions.items):
        reasons = model.explain(queries, np.full(len(HISTORIES), item))
        for row, events in enumerate(HISTORIES):
            kept = slice(reasons.indptr[row], reasons.indptr[row + 1])
            share = np.zeros(len(matrix))
            share[reasons.item[kept]] = reasons.share[kept]
            assert share == pytest.approx(merged(events, 0.8, len(matrix)) * matrix[:, item], abs=1e-6)
            if share.any():
                assert share.sum() == pytest.approx(scores[row, item], abs=2e-6)
            assert share[item] == 0


@pytest.mark.parametrize("name", FORMS)
def test_events_fade_by_their_age(name: str) -> None:
    """Asked on day 8 with a half-life of 4 days, an event of day 4 counts half, before it is merged."""
    day, items = 86_400, CROWD.interactions.items
    events = [(0, 0, 1.0), (3, 4 * day, 1.0), (3, 8 * day, 2.0)]
    model = fitted(CROWD, msgspec.structs.replace(FORMS[name], half_life_days=4))
    history = np.zeros(items)
    history[0], history[3] = np.log2(1 + 0.25), np.log2(1 + 0.5 + 2)
    wanted = history @ whole_matrix(model, items)
    found = model.scores(asks(CROWD, [events], now=8 * day))[0]
    assert found == pytest.approx(filled(np.where(np.abs(wanted) < 1e-7, 0, wanted), CROWD), abs=2e-6)


def test_forms_follow_from_the_sizes() -> None:
    form = EASE(EASEConfig())._form  # pyright: ignore[reportPrivateUsage]
    assert form(10, 20, 4000) == "dense"
    assert form(10_000, 15_000, 15_706) == "dual"
    assert form(962_000, 15_000, 15_706) == "dense"
    assert form(25_000, 28_000, 28_000) == "dense"
    assert form(25_000, 60_000, 60_000) == "local"
    assert form(15_000, 60_000, 60_000) == "dual"
    assert EASE(EASEConfig(form="local"))._form(5, 5, 5) == "local"  # pyright: ignore[reportPrivateUsage]


def test_unknown_forms_are_refused() -> None:
    with pytest.raises(ConfigError, match="form"):
        decode({"kind": "ease", "form": "sparse"}, EASEConfig)
