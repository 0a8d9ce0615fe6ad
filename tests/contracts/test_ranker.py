"""The CatBoost ranker, under every loss, keeps the contract of its seam."""

import pytest
from tests.contracts.worlds import lessons

from encorec.ranking.catboost_ranker import CatBoostConfig, CatBoostRanker
from encorec.testing import RankerCase, yield_ranker_checks
from encorec.testing.ranker import RankerCheck

ROWS = lessons()
CONFIGS = {
    "logloss": CatBoostConfig(max_trees=20, learning_rate=0.2),
    "yeti rank": CatBoostConfig(loss="YetiRank", max_trees=10, depth=3, learning_rate=0.2),
    "query soft max": CatBoostConfig(loss="QuerySoftMax", max_trees=10, depth=1, borders=5),
}
CASES = {name: RankerCase(lambda config=config: CatBoostRanker(config), ROWS) for name, config in CONFIGS.items()}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("check", list(yield_ranker_checks()), ids=lambda check: check.__name__)
def test_contract_holds(check: RankerCheck, name: str) -> None:
    check(CASES[name])
