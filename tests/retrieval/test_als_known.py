"""ALS with features and biases: the numbers that are known stay, the others are least squares given them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from scipy.sparse.linalg import cg
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks, dense_matrix, merged
from threadpoolctl import threadpool_limits

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.protocols import Reasons
from encorec.retrieval.als import ALS, ALSConfig
from encorec.retrieval.als_layout import Layout
from encorec.retrieval.als_training import attribute_map, solve_sides
from encorec.retrieval.scoring import user_item_matrix
from encorec.types import BoolVector, FloatMatrix, FloatVector, Histories, Queries

ALPHA, REG = 3.0, 2.0


def shelf(items: int) -> FeatureTable:
    """Genres, years and kinds; of the last item nothing is known, and nobody took the last five."""
    rng = np.random.default_rng(4)
    year = np.where(np.arange(items) % 5 == 0, np.nan, rng.integers(1960, 2020, items)).astype(np.float32)
    kind = Categories.of([*(["film", "series"][one % 2] for one in range(items - 1)), None])
    genres = Tags.of([*([["war", "love", "space"][one % 3]] for one in range(items - 1)), []])
    year[-1] = np.nan
    return FeatureTable(items, {"year": year}, {"kind": kind}, {"genres": genres})


PLAIN = world()
WORLD = replace(PLAIN, item_features=shelf(PLAIN.interactions.items))
FEATURES: dict[str, Any] = {"user_features": ("sex", "age"), "item_features": ("genres", "year", "kind")}
FORMS: dict[str, dict[str, Any]] = {
    "bias": {"bias": True},
    "items": {"item_features": ("genres", "year")},
    "users": {"user_features": ("sex", "age")},
    "all": {"bias": True, **FEATURES},
}


def fitted(data: Dataset = WORLD, **form: Any) -> ALS:
    config = ALSConfig(embedding_size=4, reg=REG, alpha=ALPHA, epochs=5, **form)
    return ALS(config).fit(data, rng=np.random.default_rng(5))


MODELS = {name: fitted(**form) for name, form in FORMS.items()}


def people(model: ALS, given: list[list[float]] | None) -> tuple[Queries, FloatMatrix]:
    """The usual histories of people with these ages and sexes, and the numbers of their vectors that are known."""
    queries, learnt = asks(WORLD, HISTORIES), model.arrays()
    known = np.zeros((len(HISTORIES), int(learnt["known"][0])))
    if given is not None:
        queries = replace(queries, user_features=np.array(given, np.float32))
    if given is not None and known.shape[1]:
        age = WORLD.user_features.numeric["age"]
        for row, (years, sex) in enumerate(given):
            if sex >= 0:
                known[row, int(sex)] = 1
            if not np.isnan(years):
                known[row, 2] = (years - np.nanmean(age)) / np.nanstd(age)
    return queries, known


GIVEN = [[2.0, 0.0], [np.nan, 1.0], [0.0, np.nan], [1.0, 1.0]]


def complete(model: ALS) -> tuple[FloatMatrix, BoolVector]:
    """(items, size) vectors with the numbers for the biases, and which of a user's numbers are known."""
    learnt, size = model.arrays(), model.config.embedding_size
    vectors, user = learnt["factors"].T.astype(np.float64), int(learnt["known"][0])
    fixed = np.arange(vectors.shape[1]) < user
    if model.config.bias:
        has = vectors.any(axis=1).astype(np.float64)
        vectors = np.column_stack([vectors, learnt["bias"], has])
        fixed = np.append(fixed, [True, False])
    assert vectors.shape[1] == user + size + int(learnt["known"][1]) + 2 * model.config.bias
    return vectors, fixed


def least_squares(
    strength: FloatVector, others: FloatMatrix, fixed: BoolVector, known: FloatVector, reg: float = REG
) -> FloatVector:
    """hu2008, equation 3, as one overdetermined system in the numbers that are not known."""
    taken = strength > 0
    root = np.sqrt(np.where(taken, ALPHA * strength, 1))
    rows = np.vstack([root[:, None] * others[:, ~fixed], np.sqrt(reg) * np.eye(int((~fixed).sum()))])
    wanted = root * (taken - others[:, fixed] @ known)
    vector = np.zeros(len(fixed))
    vector[fixed] = known
    vector[~fixed] = np.linalg.lstsq(rows, np.append(wanted, np.zeros(int((~fixed).sum()))))[0]
    return vector


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("given", [None, GIVEN])
def test_folding_in_is_least_squares_given_what_is_known(name: str, given: list[list[float]] | None) -> None:
    model = MODELS[name]
    queries, known = people(model, given)
    items, fixed = complete(model)
    trained = WORLD.interactions.item_counts > 0  # those that nobody took do not speak against anybody
    for row in range(3):
        strength = merged(HISTORIES[row], 1.0, len(items))
        own = np.append(known[row], np.ones(int(model.config.bias)))
        expected = least_squares(strength[trained], items[trained], fixed, own)
        columns = len(model.arrays()["factors"])
        assert model.encode(queries)[row] == pytest.approx(expected[:columns], abs=2e-4)
        scores = items[trained][:, :columns] @ expected[:columns]
        scores += model.arrays()["bias"][trained] if model.config.bias else 0
        assert model.scores(queries)[row][trained] == pytest.approx(scores, abs=2e-4)


@pytest.mark.parametrize("layout", [Layout(0, 3, 0, False), Layout(2, 3, 1, True), Layout(0, 2, 2, False)])
def test_training_alternates_least_squares(layout: Layout) -> None:
    strength = dense_matrix(WORLD)[:40, :50]
    rng = np.random.default_rng(2)
    known = rng.integers(0, 2, (40, layout.user)).astype(float), rng.normal(size=(50, layout.item))
    matrix = sparse.csr_array(ALPHA * strength)
    users, items = solve_sides(matrix, known, layout, REG, 3, np.random.default_rng(8))
    ones = [np.ones((len(part), int(layout.bias))) for part in known]
    of_users, of_items = (np.hstack([part, one]) for part, one in zip(known, ones, strict=True))
    slow_users, slow_items = np.zeros_like(users), np.zeros_like(items)
    slow_items[:, layout.item_fixed] = of_items
    latent = slice(layout.user, layout.user + layout.latent)
    slow_items[:, latent] = 0.01 * np.random.default_rng(8).random((50, layout.latent))
    for _ in range(3):
        for row in range(40):
            slow_users[row] = least_squares(strength[row], slow_items, layout.user_fixed, of_users[row])
        for row in range(50):
            slow_items[row] = least_squares(strength[:, row], slow_users, layout.item_fixed, of_items[row])
    assert users == pytest.approx(slow_users, abs=1e-7)
    assert items == pytest.approx(slow_items, abs=1e-7)


def test_enough_steps_of_conjugate_gradient_are_exact() -> None:
    matrix, layout = sparse.csr_array(ALPHA * dense_matrix(WORLD)[:40, :50]), Layout(2, 3, 1, True)
    rng = np.random.default_rng(2)
    known = rng.integers(0, 2, (40, 2)).astype(float), rng.normal(size=(50, 1))
    exact, stepwise = (solve_sides(matrix, known, layout, REG, 3, np.random.default_rng(8), steps) for steps in (0, 30))
    for one, other in zip(exact, stepwise, strict=True):
        assert other == pytest.approx(one, abs=1e-6)


def test_three_steps_are_those_of_scipy() -> None:
    strength, layout = dense_matrix(WORLD)[:40, :50], Layout(0, 4, 0, False)
    nothing = np.zeros((40, 0)), np.zeros((50, 0))
    matrix = sparse.csr_array(ALPHA * strength)
    users, items = solve_sides(matrix, nothing, layout, REG, 1, np.random.default_rng(8), steps=3)
    began = 0.01 * np.random.default_rng(8).random((50, 4))
    slow = np.array([three_steps(strength[row], began, np.zeros(4)) for row in range(40)])
    assert users == pytest.approx(slow, rel=1e-6)
    assert items == pytest.approx(
        np.array([three_steps(strength[:, row], slow, began[row]) for row in range(50)]), rel=1e-5, abs=1e-9
    )


def three_steps(strength: FloatVector, others: FloatMatrix, start: FloatVector) -> FloatVector:
    """Conjugate gradient of scipy on hu2008, equation 4."""
    confidence = np.where(strength > 0, ALPHA * strength, 1)
    square = (others.T * confidence) @ others + REG * np.eye(others.shape[1])
    right = others.T @ np.where(strength > 0, confidence, 0)
    return cg(square, right, x0=start, maxiter=3, rtol=0, atol=0)[0]


def test_without_anything_known_it_ends_where_implicit_does() -> None:
    matrix = user_item_matrix(WORLD.interactions)
    nobody, nothing = np.zeros((WORLD.interactions.users, 0)), np.zeros((WORLD.interactions.items, 0))
    confident = ALPHA * matrix
    users, items = solve_sides(confident, (nobody, nothing), Layout(0, 4, 0, False), REG, 40, np.random.default_rng(1))
    with threadpool_limits(limits=1, user_api="blas"):
        twin = AlternatingLeastSquares(factors=4, regularization=REG, alpha=ALPHA, iterations=40, random_state=1)
        twin.fit(sparse.csr_matrix(matrix.astype(np.float32)), show_progress=False)
    strength = matrix.toarray()

    def loss(users: FloatMatrix, items: FloatMatrix) -> float:
        miss = (strength > 0) - users @ items.T
        penalty = REG * ((users**2).sum() + (items**2).sum())
        return float((np.where(strength > 0, ALPHA * strength, 1) * miss**2).sum() + penalty)

    assert loss(users, items) <= 1.01 * loss(np.asarray(twin.user_factors), np.asarray(twin.item_factors))


@pytest.mark.parametrize("name", [*MODELS, "plain"])
def test_reasons_and_what_is_known_add_up_to_the_score(name: str) -> None:
    model = MODELS.get(name) or fitted(cg_steps=3)
    asked = np.array([5, 11, 2, 7])
    queries = replace(asks(WORLD, HISTORIES), user_features=np.array(GIVEN, np.float32))
    reasons: Reasons = model.explain(queries, asked)
    shares = [float(reasons.share[reasons.indptr[row] : reasons.indptr[row + 1]].sum()) for row in range(3)]
    for row in range(3):
        rest = unexplained(model, queries.take(np.array([row])), int(asked[row])) if name != "plain" else 0.0
        assert shares[row] + rest == pytest.approx(float(model.scores(queries)[row, asked[row]]), abs=2e-4)
    assert reasons.indptr[4] == reasons.indptr[3]  # the last one has no history


def unexplained(model: ALS, query: Queries, asked: int) -> float:
    """What the score would be, were the pull of the history nothing and its weight in the system the same."""
    items, fixed = complete(model)
    trained = WORLD.interactions.item_counts > 0
    history = query.history
    events = [(int(one), 0, float(weight)) for one, weight in zip(history.item, history.weight, strict=True)]
    strength = merged(events, 1.0, len(items))
    columns = model._known(query)[0] if model.config.bias or fixed.any() else np.zeros(0)
    weight = np.diag(np.where(strength > 0, ALPHA * strength, 1)[trained])
    free, given = items[trained][:, ~fixed], items[trained][:, fixed]
    vector = np.zeros(len(fixed))
    vector[fixed] = columns
    vector[~fixed] = np.linalg.solve(free.T @ weight @ free + REG * np.eye(free.shape[1]), -free.T @ (given @ columns))
    target = items[asked].copy()
    if model.config.bias:
        target[-1] = 0
    return float(target @ vector)


def test_biases_follow_popularity() -> None:
    counts, bias = WORLD.interactions.item_users, MODELS["bias"].arrays()["bias"]
    taken = counts > 0
    assert np.corrcoef(np.log(counts[taken]), bias[taken])[0, 1] > 0.5


def test_items_nobody_took_get_vectors_from_features_and_the_nameless_none() -> None:
    for name in ("items", "all"):
        factors = MODELS[name].arrays()["factors"]
        cold = WORLD.interactions.item_counts == 0
        cold[-1] = False
        assert cold.any()
        assert factors[:, cold].any(axis=0).all()
        assert not factors[:, -1].any()
        assert MODELS[name].arrays().get("bias", np.zeros(1))[-1] == 0
    assert not MODELS["bias"].arrays()["factors"][:, cold].any()


def test_a_map_from_features_is_ridge_regression() -> None:
    rng = np.random.default_rng(3)
    known, solved = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))
    weights = attribute_map(known, solved)
    centred = known - known.mean(axis=0)
    expected = np.linalg.solve(centred.T @ centred + np.eye(4), centred.T @ (solved - solved.mean(axis=0)))
    assert weights[1:] == pytest.approx(expected, abs=1e-6)
    assert weights[0] == pytest.approx(solved.mean(axis=0) - known.mean(axis=0) @ expected, abs=1e-6)


def test_features_speak_for_those_without_history() -> None:
    model = MODELS["all"]
    unknown = np.full((3, 2), np.nan, np.float32)
    unknown[1] = [2, 0]
    unknown[2] = [0, 1]
    queries = replace(asks(WORLD, [[], [], []]), user_features=unknown)
    scores = model.scores(queries)
    assert scores[0].tolist() == model.arrays()["prior"].tolist()
    assert scores[1].argsort().tolist() != scores[2].argsort().tolist()


def test_a_history_of_nameless_items_is_no_history() -> None:
    last = WORLD.interactions.items - 1
    scores = MODELS["bias"].scores(asks(WORLD, [[(last, 1, 1.0)]]))
    assert scores[0].tolist() == MODELS["bias"].arrays()["prior"].tolist()


def test_tastes_that_follow_a_feature_reach_those_without_history() -> None:
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(80), 6)
    item = np.concatenate([rng.permutation(10)[:6] + 10 * (one % 2) for one in range(80)])
    data = Dataset.of(Interactions.of(user, item, np.arange(480)))
    sex = Categories.of(["FM"[one % 2] for one in range(80)])
    data = replace(data, user_features=FeatureTable(80, {}, {"sex": sex}))
    model = ALS(ALSConfig(embedding_size=2, reg=1, bias=True, user_features=("sex",))).fit(
        data, rng=np.random.default_rng(1)
    )
    queries = replace(asks(data, [[], []]), user_features=np.array([[0], [1]], np.float32))
    best = model.retrieve(queries, 10).item.reshape(2, 10)
    assert set(best[0].tolist()) == set(range(10))
    assert set(best[1].tolist()) == set(range(10, 20))


@pytest.mark.parametrize("wild", [np.inf, -np.inf, 1e30, np.nan, -3.0, 99.0])
def test_wild_features_give_finite_scores(wild: float) -> None:
    given = np.full((len(HISTORIES), 2), wild, np.float32)
    scores = MODELS["all"].scores(replace(asks(WORLD, HISTORIES), user_features=given))
    assert np.isfinite(scores).all()


def test_the_newest_events_alone_are_asked() -> None:
    model = ALS.from_arrays(ALSConfig(embedding_size=4, reg=REG, alpha=ALPHA, last=2), fitted().arrays())
    whole = fitted().encode(asks(WORLD, [events[-2:] for events in HISTORIES]))
    assert model.encode(asks(WORLD, HISTORIES)).tolist() == whole.tolist()


def test_a_constant_number_and_an_unknown_one_do_no_harm() -> None:
    items = PLAIN.interactions.items
    table = FeatureTable(items, {"one": np.ones(items, np.float32), "none": np.full(items, np.nan, np.float32)})
    model = fitted(replace(PLAIN, item_features=table), item_features=("one", "none"))
    assert np.isfinite(model.scores(asks(PLAIN, HISTORIES))).all()


@pytest.mark.parametrize("setting", [{"user_features": ("shoe",)}, {"item_features": ("genre",)}])
def test_features_that_do_not_exist_are_named(setting: dict[str, Any]) -> None:
    (field,) = setting
    with pytest.raises(ConfigError, match=rf"als: {field}: unknown feature '{setting[field][0]}'"):
        fitted(**setting)


def test_nobody_and_nothing() -> None:
    empty = replace(
        PLAIN, interactions=PLAIN.interactions.take(np.empty(0, np.int64)), item_features=WORLD.item_features
    )
    model = fitted(empty, bias=True, **FEATURES)
    queries = Queries(Histories.empty(1), np.array([9]), asks(WORLD, [[]]).eligible)
    assert np.isfinite(model.scores(queries)).all()


def test_fitting_again_forgets_the_old_form() -> None:
    model = fitted(item_features=("genres",))
    model.encode(asks(WORLD, HISTORIES))
    wider = replace(WORLD, item_features=FeatureTable(PLAIN.interactions.items, tags={"genres": wide_tags()}))
    again = model.fit(wider, rng=np.random.default_rng(5)).encode(asks(wider, HISTORIES))
    assert again.tolist() == fitted(wider, item_features=("genres",)).encode(asks(wider, HISTORIES)).tolist()


def wide_tags() -> Tags:
    return Tags.of([[f"tag {one % 7}"] for one in range(PLAIN.interactions.items)])
