"""Mixed lists: laws, worked examples, and nobody is preferred where there is nothing to prefer."""

from collections import Counter
from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import ConfigError, QueryError
from encorec.experiment.interleaving.interleaved import Interleaved
from encorec.experiment.interleaving.mixing import InterleavingMethod, interleave
from encorec.experiment.interleaving.optimised import allowed_lists, list_chances, rank_credits

METHODS: tuple[InterleavingMethod, ...] = ("team-draft", "balanced", "optimised")
RANKING = st.lists(st.integers(0, 9), unique=True, min_size=1, max_size=7)


def draws(
    lists: list[list[int]], k: int, method: InterleavingMethod, n: int = 3000, **options: bool
) -> list[Interleaved]:
    rng = np.random.default_rng(11)
    return [interleave(lists, k, rng, method, **options) for _ in range(n)]


def drafted(
    lists: list[list[int]], k: int, done: tuple[tuple[int, int], ...] = (), chance: Fraction = Fraction(1)
) -> Counter[tuple[tuple[int, int], ...]]:
    """All team drafts of the lists, (item, team) by place, with their exact chances, by walking through every order."""

    def left(team: int, taken: list[int]) -> list[int]:
        return [item for item in lists[team] if item not in taken]

    taken = [item for item, _ in done]
    ahead = [left(team, taken)[:1] for team in range(len(lists))]
    if len(done) >= k or not any(ahead):
        return Counter({done[:k]: chance})  # pyright: ignore[reportArgumentType]
    if ahead[0] and ahead == ahead[:1] * len(lists):
        return drafted(lists, k, (*done, (ahead[0][0], -1)), chance)
    found: Counter[tuple[tuple[int, int], ...]] = Counter()
    orders = list(permutations(range(len(lists))))
    for order in orders:
        now = list(done)
        for team in order:
            now += [(item, team) for item in left(team, [one for one, _ in now])[:1]]
        found += drafted(lists, k, tuple(now), chance / len(orders))
    return found


@given(st.lists(RANKING, min_size=2, max_size=4), st.integers(1, 8), st.integers(0, 2**32))
def test_a_mixed_list_holds_the_best_of_all_once(lists: list[list[int]], k: int, seed: int) -> None:
    for method in METHODS[:1] if len(lists) > 2 else METHODS:
        mixed = interleave(lists, k, np.random.default_rng(seed), method)
        union = {item for one in lists for item in one}
        assert len(mixed.items) == len(set(mixed.items)) == len(mixed.team) == len(mixed.credit) == min(k, len(union))
        assert set(mixed.items) <= union
        assert mixed.items[0] in {one[0] for one in lists}
        assert ((mixed.team == -1) == (mixed.credit == 0)).all()
        assert mixed.team.max(initial=-1) < len(lists)
        assert (mixed.team[min(map(len, lists)) :] == -1).all()
        again = interleave(lists, k, np.random.default_rng(seed), method)
        assert again.items == mixed.items
        assert again.team.tolist() == mixed.team.tolist()


@given(st.lists(RANKING, min_size=2, max_size=4), st.integers(1, 8), st.integers(0, 2**32))
def test_every_place_of_a_draft_is_its_teams_best_left(lists: list[list[int]], k: int, seed: int) -> None:
    mixed = interleave(lists, k, np.random.default_rng(seed), neutral_agreement=False)
    shortest = min(map(len, lists))
    for place, (item, team) in enumerate(zip(mixed.items[:shortest], mixed.team.tolist(), strict=False)):
        assert item == next(one for one in lists[team] if one not in mixed.items[:place])
    full = len(mixed.items) // len(lists)
    if all(len(one) >= k for one in lists) and len(lists) == 2:
        assert all(np.count_nonzero(mixed.team == team) >= full for team in range(2))


@given(RANKING, st.integers(1, 8), st.integers(0, 2**32))
def test_equal_lists_prefer_nobody(ranking: list[int], k: int, seed: int) -> None:
    for method in METHODS:
        mixed = interleave([ranking, ranking], k, np.random.default_rng(seed), method)
        assert mixed.items == ranking[:k]
        assert (mixed.team == -1).all()
    assert (interleave([ranking] * 3, k, np.random.default_rng(seed)).team == -1).all()


@pytest.mark.parametrize(
    "lists", [[[1, 2, 3, 4], [2, 5, 1, 3]], [[1, 2, 3, 4], [1, 3, 2, 4]], [[1, 2, 3], [1, 3, 2], [1, 2, 4]]]
)
def test_team_draft_is_that_of_all_orders(lists: list[list[int]]) -> None:
    k = len(lists[0])
    expected = drafted(lists, k)
    found = Counter(tuple(zip(one.items, one.team.tolist(), strict=True)) for one in draws(lists, k, "team-draft"))
    assert set(found) == set(expected)
    for drawn, chance in expected.items():
        assert found[drawn] / 3000 == pytest.approx(float(chance), abs=0.04)


@given(st.lists(st.permutations(range(5)), min_size=2, max_size=3), st.integers(1, 5))
def test_a_reader_who_clicks_any_place_prefers_nobody(lists: list[list[int]], k: int) -> None:
    """Exact chances: every place is each team's as often; and a reader of a certain beginning cannot tell the lot."""
    everything = drafted(lists, k)
    assert sum(everything.values()) == 1
    for place in range(k):
        owned = [
            sum((chance for draft, chance in everything.items() if draft[place][1] == team), Fraction())
            for team in range(len(lists))
        ]
        assert len(set(owned)) == 1


def test_what_all_want_next_is_nobodys_at_any_place() -> None:
    """1 and 2 are taken by both; then all want 3; 4 and 5 are dealt."""
    for mixed in draws([[1, 2, 3, 4, 5], [2, 1, 3, 5, 4]], 5, "team-draft", 200):
        assert mixed.items[2] == 3
        assert mixed.team.tolist() in [[*first, -1, *last] for first in ((0, 1), (1, 0)) for last in ((0, 1), (1, 0))]


@pytest.mark.parametrize("lists", [[[1, 2, 3, 4, 5]] * 2, [[1, 2, 3, 4, 5], [1, 2, 4, 3, 5]], [[1, 2, 3], [3, 1, 2]]])
@pytest.mark.parametrize("neutral", [True, False])
def test_team_draft_gives_both_teams_every_place_as_often(lists: list[list[int]], neutral: bool) -> None:
    teams = np.array([one.team for one in draws(lists, 3, "team-draft", neutral_agreement=neutral)])
    first, second = (teams == 0).mean(axis=0), (teams == 1).mean(axis=0)
    assert np.abs(first - second).max() < 4 / np.sqrt(3000)
    shared = lists[0][0] == lists[1][0]
    assert (first[0] == 0) == (neutral and shared)


def test_multileaving_gives_every_team_every_place_as_often() -> None:
    lists = [[1, 2, 3, 4], [5, 6, 7, 8], [1, 5, 9, 10], [4, 3, 2, 1]]
    teams = np.array([one.team for one in draws(lists, 4, "team-draft")])
    shares = np.array([(teams == team).mean(axis=0) for team in range(4)])
    assert np.abs(shares - 0.25).max() < 0.04


def test_balanced_interleaving_has_its_known_bias() -> None:
    found = draws([[1, 2, 3, 4], [2, 3, 4, 1]], 4, "balanced", 400)
    assert {tuple(one.items) for one in found} == {(1, 2, 3, 4), (2, 1, 3, 4)}
    for one in found:
        assert (one.team == 1).mean() == 0.75  # a random click favours the second list three times out of four


def test_balanced_goes_on_where_one_list_ends() -> None:
    assert {tuple(one.items) for one in draws([[1], [2, 3, 4]], 4, "balanced", 50)} == {(1, 2, 3, 4), (2, 1, 3, 4)}


def test_allowed_lists_are_those_of_the_worked_example() -> None:
    found = ["".join(map(str, one)) for one in allowed_lists("abcd", "bdca", 4)]
    assert sorted(found) == ["abcd", "abdc", "bacd", "badc", "bdac", "bdca"]


@given(RANKING, RANKING, st.integers(1, 5))
def test_allowed_lists_join_two_beginnings(first: list[int], second: list[int], k: int) -> None:
    found = allowed_lists(first, second, k)
    assert len(set(found)) == len(found)
    for one in found:
        for length in range(1, len(one) + 1):
            begun = set(one[:length])
            assert any(
                begun == set(first[:i]) | set(second[:j])
                for i, j in product(range(len(first) + 1), range(len(second) + 1))
            )


def test_three_lists_have_one_fair_mixture() -> None:
    lists = allowed_lists([1, 2, 3], [2, 3, 1], 3)
    credits = rank_credits(lists, [1, 2, 3], [2, 3, 1])
    assert credits.tolist() == [[2, -1, -1], [-1, 2, -1], [-1, -1, 2]]
    assert list_chances(credits) == pytest.approx([1 / 3] * 3)


@given(RANKING, RANKING, st.integers(1, 6))
def test_optimised_favours_nobody_at_any_place(first: list[int], second: list[int], k: int) -> None:
    k = min(k, len(first), len(second))
    first, second = first[:k], second[:k]
    credits = rank_credits(allowed_lists(first, second, k), first, second)
    chances = list_chances(credits)
    assert (chances >= 0).all()
    assert chances.sum() == pytest.approx(1)
    assert np.abs(chances @ credits).max() < 1e-7


def test_optimised_tells_more_than_another_fair_mixture() -> None:
    first, second = [1, 2, 3, 4], [2, 4, 3, 1]
    lists = allowed_lists(first, second, 4)
    credits = rank_credits(lists, first, second)
    best = list_chances(credits)
    look = 1 / np.arange(1, 5)

    def told(one: np.ndarray) -> float:
        shares = np.array([look[one > 0].sum(), look[one < 0].sum()]) / look.sum()
        parts = shares / shares.sum()
        return float(shares.sum() * -(parts * np.log2(parts, where=parts > 0, out=np.zeros(2))).sum())

    worth = np.array([told(one) for one in credits])
    rng = np.random.default_rng(3)
    null = np.linalg.svd(np.vstack([credits.T, np.ones(len(lists))]))[2][5:]
    others = [best + step for step in rng.normal(size=(200, len(null))) @ null * 0.1] if len(null) else []
    for other in [one for one in others if (one >= 0).all()]:
        assert other @ worth <= best @ worth + 1e-9


def test_bad_requests_are_named() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(QueryError, match="at least two are mixed"):
        interleave([[1, 2]], 2, rng)
    with pytest.raises(QueryError, match="k is 0"):
        interleave([[1], [2]], 0, rng)
    with pytest.raises(QueryError, match="item 7 stands twice in the list of ranker 1"):
        interleave([[1, 2], [7, 8, 7]], 2, rng)
    with pytest.raises(ConfigError, match="did you mean 'balanced'"):
        interleave([[1], [2]], 1, rng, "balance")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="mixes two lists, 3 were given"):
        interleave([[1], [2], [3]], 1, rng, "optimised")
    with pytest.raises(QueryError, match="allowed is 1 to 12 for 'optimised'"):
        interleave([[1], [2]], 13, rng, "optimised")


def test_empty_lists_make_an_empty_list() -> None:
    for method in METHODS:
        assert interleave([[], []], 3, np.random.default_rng(0), method).items == []
    assert interleave([[], [4]], 3, np.random.default_rng(0)).team.tolist() == [-1]
