"""Who comes when, and how much they watch."""

import numpy as np
import pytest

from encorec.data.synthetic.activity import GROWTH, MORE, activity_table, amounts, mean_rows
from encorec.data.synthetic.rhythm import DAYS, Rhythm, arrivals, views_by_day


@pytest.mark.parametrize(("mean", "most"), [(5.69, 1341), (2.0, 100), (1.2, 50), (15.0, 1341)])
def test_activity_has_the_wanted_mean_and_bound(mean: float, most: int) -> None:
    table = activity_table(mean, most)
    assert table.sum() == pytest.approx(mean, rel=1e-6)
    assert len(table) <= most + 1
    assert np.all(np.diff(table) <= 0)
    assert table[0] == 1


def test_median_of_the_published_activity_is_two() -> None:
    table = activity_table(5.69, 1341)
    assert table[1] > 0.5 > table[2]


def test_amounts_keep_the_distribution_and_favour_those_who_came_early() -> None:
    rng, new = np.random.default_rng(5), arrivals()
    arrival = rng.choice(DAYS, 200_000, p=new / new.sum())
    items, below = amounts(rng.random(200_000), arrival, new, activity_table(5.69, 1341))
    assert items.mean() == pytest.approx(5.69, rel=0.03)
    assert (items == 1).mean() == pytest.approx(0.36, abs=0.01)
    assert items[arrival < 30].mean() > 2 * items[arrival > 150].mean()
    assert np.corrcoef(np.argsort(np.argsort(below)), items)[0, 1] > 0.4


def test_mean_rows_are_those_of_simulated_users() -> None:
    table, new = activity_table(5.69, 1341), np.array([0.3, 0.7])
    first, later = mean_rows(table, new)
    rng = np.random.default_rng(2)
    for day in range(2):
        items, _ = amounts(rng.random(100_000), np.full(100_000, day), new, table)
        assert first[day] + later[:, day].sum() == pytest.approx(items.mean(), rel=0.05)


def test_the_pull_of_days_brings_the_wanted_views() -> None:
    rhythm, new = Rhythm.fitted(activity_table(5.69, 1341)), arrivals()
    first, later = mean_rows(activity_table(5.69, 1341), new)
    found = new * first
    for habit in range(3):
        pull = -np.diff(rhythm.ahead[habit]) / (1 - sum(MORE) / 2 * (GROWTH[0] + GROWTH[1] * np.arange(DAYS)))
        for day in range(DAYS):
            found[day:] += new[day] * later[habit, day] * pull[day:] / pull[day:].sum()
    np.testing.assert_allclose(found / found.sum(), views_by_day(), rtol=0.02)


def test_weekends_are_high_and_two_days_stand_out() -> None:
    views = views_by_day()
    assert set(np.argsort(views[80:130])[-2:] + 80) == {94, 110}
    july = views[112:140].reshape(4, 7)
    assert np.all(july[:, :2].mean(axis=1) > 1.05 * july[:, 2:].mean(axis=1))
