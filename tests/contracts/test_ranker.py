"""Every ranker, under every loss, keeps the contract of its seam."""

import pytest
from tests.contracts.worlds import lessons

from encorec.ranking.catboost_ranker import CatBoostConfig
from encorec.ranking.lightgbm_ranker import LightGBMConfig
from encorec.ranking.linear_ranker import LinearConfig
from encorec.ranking.registry import RankerConfig, make_ranker
from encorec.testing import RankerCase, yield_ranker_checks
from encorec.testing.ranker import RankerCheck

ROWS = lessons()
CONFIGS: dict[str, RankerConfig] = {
    "logloss": CatBoostConfig(max_trees=20, learning_rate=0.2),
    "yeti rank": CatBoostConfig(loss="YetiRank", max_trees=10, depth=3, learning_rate=0.2),
    "query soft max": CatBoostConfig(loss="QuerySoftMax", max_trees=10, depth=1, borders=5),
    "seeds": CatBoostConfig(max_trees=5, seeds=3, positive_weight="balanced"),
    "binary": LightGBMConfig(max_trees=20, learning_rate=0.2, row_share=0.7, min_rows=5),
    "lambdarank": LightGBMConfig(objective="lambdarank", max_trees=10, leaves=4, feature_share=0.5),
    "rank_xendcg": LightGBMConfig(objective="rank_xendcg", max_trees=10, borders=5),
    "linear": LinearConfig(),
    "linear, two bins": LinearConfig(bins=2, reg=1, positive_weight="balanced"),
}
CASES = {name: RankerCase(lambda config=config: make_ranker(config), ROWS) for name, config in CONFIGS.items()}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("check", list(yield_ranker_checks()), ids=lambda check: check.__name__)
def test_contract_holds(check: RankerCheck, name: str) -> None:
    check(CASES[name])
