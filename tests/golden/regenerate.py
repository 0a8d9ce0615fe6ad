"""Writes the golden artifact of the current format: every kind of retriever and every group of features, kept small.

Usage: python -m tests.golden.regenerate. For a new format only: an artifact that was released stays as it is.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from tests.worlds import small_run, small_world

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.data.splits import LastN
from encorec.data.vocabulary import Vocabulary
from encorec.pipeline.engine import Engine, load_engine
from encorec.pipeline.fit import CandidatesConfig, TrainingConfig
from encorec.pipeline.manifest import FORMAT
from encorec.pipeline.requests import PastEvent, Request, UserState
from encorec.ranking.catboost_ranker import CatBoostConfig
from encorec.retrieval.als import ALSConfig
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.ease import EASEConfig
from encorec.retrieval.item_knn import ItemKNNConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.retrieval.repeats import RepeatsConfig
from encorec.workflow import RunConfig, examine, train

HERE = Path(__file__).parent
USERS, ITEMS = 80, 60
EVENT = PastEvent(12, 1_733_000_000, 2.0)
REQUESTS = (
    Request(user_id="u-07"),
    Request(user_id="nobody", k=3),
    Request(user_id="u-11", k=4, allow=(1, 2, 3, 40, 41), deny=(2,)),
    Request(history=(EVENT, PastEvent(13, 1_733_100_000)), k=5, user={"sex": "F", "age": 31}),
    Request(user_id="u-20", k=60),
)
STATES = (UserState((EVENT,), (12, 14)), None, None, None, None)


def tiny_world() -> Dataset:
    """A corner of the small world, with users named by text and one in five items taken again."""
    data = small_world()
    table, people, shelf = data.interactions, data.user_features, data.item_features
    kept = np.flatnonzero((table.user < USERS) & (table.item < ITEMS))
    kept = np.sort(np.concatenate([kept, kept[::5]]))
    columns = (table.user[kept], table.item[kept], table.time[kept] + np.arange(len(kept)) % 7, table.weight[kept])
    sex, kind, genres = people.categorical["sex"], shelf.categorical["kind"], shelf.tags["genres"]
    return Dataset(
        "tiny-world",
        Vocabulary(np.array([f"u-{user:02d}" for user in range(USERS)])),
        Vocabulary(np.arange(ITEMS)),
        Interactions.of(*columns, users=USERS, items=ITEMS),
        FeatureTable(USERS, {"age": people.numeric["age"][:USERS]}, {"sex": Categories(sex.code[:USERS], sex.values)}),
        FeatureTable(
            ITEMS,
            {"year": shelf.numeric["year"][:ITEMS]},
            {"kind": Categories(kind.code[:ITEMS], kind.values)},
            {"genres": Tags(genres.lists.take(slice(ITEMS)), genres.values)},
        ),
        None if data.titles is None else data.titles[:ITEMS],
    )


def tiny_run() -> RunConfig:
    return small_run(
        name="golden",
        split=LastN(drop_seen=False),
        seen="keep",
        retrievers={
            "steps": CovisitationConfig(window=2, backward=0.5),
            "knn": ItemKNNConfig(weighting="bm25", neighbours=10),
            "ease": EASEConfig(reg=20),
            "als": ALSConfig(embedding_size=4, epochs=2),
            "popular": PopularityConfig(half_life_days=30, segments=("sex",), min_users=20),
            "again": RepeatsConfig(),
        },
        candidates=CandidatesConfig(per_source=8, quotas={"ease": 0}),
        ranker=CatBoostConfig(max_trees=12, depth=4, learning_rate=0.3),
        training=TrainingConfig(folds=2, negatives=10, guard=False),
    )


def answers(engine: Engine) -> dict[str, Any]:
    """What the artifact has to answer, ever after."""
    asked = engine.recommend(REQUESTS, STATES)
    return {
        "recommend": [[[item.item_id, item.score] for item in answer.items] for answer in asked],
        "similar": [[item.item_id, item.score] for item in engine.similar(7, 5)],
        "popular": engine.popular(5),
    }


def main() -> None:
    """Train, save, and record the answers."""
    data, run = tiny_world(), tiny_run()
    folder = HERE / f"v{FORMAT}"
    train(run, data, folder, exam=examine(run, data))
    parts = (f'"{name}": {json.dumps(part)}' for name, part in answers(load_engine(folder)).items())
    folder.with_suffix(".json").write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    main()
