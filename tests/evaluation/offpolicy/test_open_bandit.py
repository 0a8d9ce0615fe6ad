"""Open Bandit Data: its format, its beliefs and its two directions, on a few rows written by hand."""

from pathlib import Path

import numpy as np
import pytest

from encorec.errors import DataError
from encorec.evaluation.offpolicy import evaluate_policy, load_open_bandit
from encorec.evaluation.offpolicy.settings import OffPolicyConfig
from encorec.evaluation.offpolicy.thompson import thompson_probabilities

HEADER = ",timestamp,item_id,position,click,propensity_score,user_feature_0,user-item_affinity_0"
BELIEFS = """all:
  alpha:
    - 47.0
    - 8.0
    - 62.0
  beta:
    - 1219.0
    - 3566.0
    - 1599.0
men:
  alpha:
    - 1.0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three items at two positions, shown evenly by one policy and unevenly by the other."""
    rng = np.random.default_rng(0)
    for name, chances in (("random", [1 / 3] * 3), ("bts", [0.45, 0.02, 0.53])):
        lines = [HEADER]
        for row in range(600):
            item = int(rng.choice(3, p=chances))
            click = int(rng.random() < (0.3, 0.05, 0.2)[item])
            lines.append(
                f"{row},2019-11-24 00:00:{row % 60:02}+00:00,{item},{row % 2 + 1},{click},{chances[item]},f,0.0"
            )
        where = tmp_path / name / "all"
        where.mkdir(parents=True)
        (where / "all.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "prior_bts.yaml").write_text(BELIEFS)
    return tmp_path


def test_the_log_and_the_beliefs_of_a_folder(folder: Path) -> None:
    data = load_open_bandit(folder, draws=2000)
    assert data.log.columns == ["action", "reward", "propensity", "position", "user_feature_0"]
    assert len(data.log) == 600
    rng = np.random.RandomState(12345)
    expected = thompson_probabilities(np.array([47.0, 8, 62]), np.array([1219.0, 3566, 1599]), 2, rng, draws=2000)
    assert data.policy["probability"].to_list() == expected.ravel().tolist()
    found = evaluate_policy(data.log, data.policy, config=OffPolicyConfig(resamples=50))
    chance = {(str(a), b): c for a, b, c in data.policy.select("action", "position", "probability").rows()}
    rows = data.log.select("action", "position", "reward", "propensity").rows()
    slow = sum(chance[action, place] / float(p) * float(reward) for action, place, reward, p in rows) / 600
    assert found.estimators["ips"]["value"] == pytest.approx(slow)


def test_the_other_direction_is_uniform_and_refused(folder: Path) -> None:
    data = load_open_bandit(folder, logged_by="bts")
    assert set(data.policy["probability"]) == {1 / 3}
    refused = evaluate_policy(data.log, data.policy).refused
    assert refused is not None
    assert "ESS" in refused


def test_probabilities_are_shares_of_the_draws_one_by_one() -> None:
    """As obp counts them: one list after the other, from the same generator."""
    alpha, beta = np.array([3.0, 2.0, 5.0, 1.0]), np.array([9.0, 9.0, 20.0, 2.0])
    found = thompson_probabilities(alpha, beta, 3, np.random.RandomState(1), draws=500)
    rng, counts = np.random.RandomState(1), np.zeros((4, 3))
    for _ in range(500):
        for place, action in enumerate(rng.beta(a=alpha, b=beta).argsort()[::-1][:3]):
            counts[action, place] += 1
    assert (found * 500).tolist() == counts.tolist()
    assert found.sum(axis=0) == pytest.approx([1, 1, 1])


def test_two_actions_are_chosen_as_the_integral_says() -> None:
    """P(Beta(2, 1) > Beta(1, 1)) is 2/3."""
    found = thompson_probabilities(np.array([2.0, 1.0]), np.ones(2), 1, np.random.default_rng(0), draws=50_000)
    assert found[:, 0] == pytest.approx([2 / 3, 1 / 3], abs=0.01)


def test_mistakes_are_named(folder: Path) -> None:
    with pytest.raises(DataError, match=r"holds no 'random/women/women.csv'"):
        load_open_bandit(folder, campaign="women")
    with pytest.raises(DataError, match="unknown campaign 'al'"):
        load_open_bandit(folder, campaign="al")  # pyright: ignore[reportArgumentType]
    (folder / "prior_bts.yaml").write_text("men:\n  alpha:\n    - 1.0\n")
    with pytest.raises(DataError, match="holds no beliefs of the campaign 'all'"):
        load_open_bandit(folder)
    with pytest.raises(DataError, match="above 0"):
        thompson_probabilities(np.array([0.0, 1.0]), np.ones(2), 1, np.random.default_rng(0))
    with pytest.raises(DataError, match="3 positions"):
        thompson_probabilities(np.ones(2), np.ones(2), 3, np.random.default_rng(0))
