"""The values of RecTools 0.19.0 for a small world that is made by arithmetic, so that it can be made anywhere.

They were computed in an environment of its own with ``Metric(k).calc(...)``; what stands behind the dot is the option.
Down-sampling is that of ``DebiasConfig(iqr_coef=1.0, random_state=np.random.default_rng(7))``.
"""

import numpy as np
import pytest

from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.evaluation.evaluate import evaluate
from encorec.evaluation.options import MetricOptions
from encorec.types import ItemLists

USERS, ITEMS, PLACES = 40, 41, 12
RECTOOLS = {
    "precision@5": 0.11499999999999999,
    "recall@5": 0.10456349206349205,
    "f1@5": 0.10527819402819402,
    "hit_rate@5": 0.5,
    "mrr@5": 0.2625,
    "map@5": 0.05040674603174603,
    "map.k@5": 0.06283333333333334,
    "ndcg.k@5": 0.12156450326552574,
    "ndcg@5": 0.1270761820774398,
    "recall.min@5": 0.12833333333333333,
    "miuf@5": 3.019874029665295,
    "serendipity@5": 0.057999999999999996,
    "ild@5": 2.8925,
    "avg_popularity@5": 9.15,
    "coverage@5": 0.975609756097561,
    "intersection@5": 0.13,
    "intersection.3@5": 0.075,
    "map.iqr@5": 0.0414265873015873,
    "ndcg.iqr@5": 0.0932500772508951,
    "recall.iqr@5": 0.08384920634920635,
    "precision@10": 0.1125,
    "recall@10": 0.20597222222222217,
    "f1@10": 0.14060719294465424,
    "hit_rate@10": 0.775,
    "mrr@10": 0.3005456349206349,
    "map@10": 0.07005056768077601,
    "map.k@10": 0.0423859126984127,
    "ndcg.k@10": 0.11732069695819751,
    "ndcg@10": 0.16373643672305307,
    "recall.min@10": 0.20597222222222217,
    "miuf@10": 3.019874029665295,
    "serendipity@10": 0.0395,
    "ild@10": 2.843888888888889,
    "avg_popularity@10": 9.15,
    "coverage@10": 0.975609756097561,
    "intersection@10": 0.225,
    "intersection.3@10": 0.0675,
    "map.iqr@10": 0.06047668650793651,
    "ndcg.iqr@10": 0.13876692306402494,
    "recall.iqr@10": 0.18938492063492066,
}
OPTIONS = {
    "map.k": ["map.denominator=k"],
    "ndcg.k": ["ndcg.ideal=k"],
    "recall.min": ["recall.denominator=min"],
    "intersection.3": ["intersection.reference_k=3"],
    "map.iqr": ["debias.method=iqr", "debias.coefficient=1.0", "debias.seed=7"],
    "ndcg.iqr": ["debias.method=iqr", "debias.coefficient=1.0", "debias.seed=7"],
    "recall.iqr": ["debias.method=iqr", "debias.coefficient=1.0", "debias.seed=7"],
}

user, item, place = np.arange(USERS)[:, None], np.arange(ITEMS), np.arange(PLACES)
LISTS = ((user + 1) * (place + 1) * 5 + 3 * user) % ITEMS
REFERENCE = (user % 39 + 2) * (place + 1) * 3 % ITEMS
WANTED = ((7 * user + 3 * item * item + user * item) % (3 + item) < 2) | (item == 3 * user % ITEMS)
HAD = (user * user + 5 * item + 3) % (2 + item % 7) == 0
FEATURES = {"a": item % 2, "b": item % 3, "c": item % 5, "d": item // 8}


@pytest.mark.parametrize("name", RECTOOLS)
def test_value_is_that_of_rectools(name: str) -> None:
    key, cut = name.split("@")
    had_user, had_item = np.nonzero(HAD)
    metric = f"{key.partition('.')[0]}@{cut}"
    found = evaluate(
        LISTS,
        ItemLists.of([np.flatnonzero(row) for row in WANTED]),
        [metric],
        train=Interactions.of(had_user, had_item, np.zeros(len(had_user), np.int64), users=USERS, items=ITEMS),
        item_features=FeatureTable(ITEMS, numeric={one: column.astype(np.float32) for one, column in FEATURES.items()}),
        reference=REFERENCE,
        options=MetricOptions.from_pairs(OPTIONS.get(key, [])),
    )
    assert found.means[metric] == pytest.approx(RECTOOLS[name], abs=1e-9)
