"""Repeated pairs against counters."""

from collections import Counter

from hypothesis import given
from tests.data.exploration.worlds import drawn_logs, rows_of, table_of

from encorec.data.exploration.repeats import RepeatedPairs
from encorec.data.interactions import Interactions


@given(drawn_logs())
def test_repeats_are_what_counters_count(table: Interactions) -> None:
    found, rows = RepeatedPairs.of(table), rows_of(table)
    pairs = Counter(row[:2] for row in rows)
    assert (found.pairs, found.again) == (len(pairs), len(rows) - len(pairs))
    assert found.repeated_pairs == sum(times > 1 for times in pairs.values())
    assert found.same_second == len(rows) - len({row[:3] for row in rows})
    assert found.exact == len(rows) - len(set(rows))
    assert found.most == max(pairs.values(), default=0)
    assert found.most_pair == ((-1, -1) if found.most < 2 else min(p for p in pairs if pairs[p] == found.most))
    times = Counter(min(one, 10) for one in pairs.values())
    assert found.times.tolist() == [times[one] for one in range(1, max(times, default=0) + 1)]


@given(drawn_logs())
def test_the_example_of_an_exact_repeat_stands_in_the_table_before(table: Interactions) -> None:
    found, rows = RepeatedPairs.of(table), rows_of(table)
    if found.exact:
        assert rows[found.exact_at] in rows[: found.exact_at]
    else:
        assert found.exact_at == -1


def test_twice_in_a_second_with_another_weight_is_no_exact_repeat() -> None:
    found = RepeatedPairs.of(table_of([(0, 0, 5, 1.0), (0, 0, 5, 0.5), (0, 0, 5, 1.0)]))
    assert (found.same_second, found.exact, found.times.tolist()) == (2, 1, [0, 0, 1])
