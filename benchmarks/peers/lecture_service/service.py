"""A recommendation service as lectures build it: FastAPI, user vectors of ALS in a dict, an Annoy index over items.

    python service.py FOLDER

The design of the course's fourth lecture: ``POST /api/v1/recommend_for_user`` with pydantic models takes a user and a
white list, asks the index for 200 neighbours, keeps those of the white list, and gives ten. Two things are kinder than
there: an empty white list costs nothing, and a user without a vector gets the popular items rather than an error. The
route exists as ``async def``, as in the lecture, and as ``def``, which FastAPI runs in a thread.

FOLDER holds ``items.npy`` (items,) ids, ``item_vectors.npy`` (items, size), ``users.npy`` (users,) ids,
``user_vectors.npy`` (users, size) and ``popular.npy`` (ten ids).
"""

import sys
from pathlib import Path

import numpy as np
import uvicorn
from annoy import AnnoyIndex
from fastapi import FastAPI
from pydantic import BaseModel

NEIGHBOURS, TREES, PLACES = 200, 10, 10


class Question(BaseModel):
    user_id: int
    item_whitelist: list[int] = []


class Answer(BaseModel):
    user_id: int
    item_ids: list[int]


class Recommender:
    """Nearest items of the user's vector."""

    def __init__(self, folder):
        self.items = np.load(folder / "items.npy").tolist()
        self.popular = np.load(folder / "popular.npy").tolist()
        vectors = np.load(folder / "user_vectors.npy").tolist()
        self.users = dict(zip(np.load(folder / "users.npy").tolist(), vectors, strict=True))
        items = np.load(folder / "item_vectors.npy")
        self.index = AnnoyIndex(items.shape[1], "dot")
        for row, vector in enumerate(items.tolist()):
            self.index.add_item(row, vector)
        self.index.set_seed(7)
        self.index.build(TREES)

    def recommend(self, question):
        vector = self.users.get(question.user_id)
        if vector is None:
            return self.popular
        found = [self.items[row] for row in self.index.get_nns_by_vector(vector, NEIGHBOURS)]
        if question.item_whitelist:
            allowed = set(question.item_whitelist)
            found = [item for item in found if item in allowed]
        return found[:PLACES]


def create_app(recommender):
    app = FastAPI()

    @app.post("/api/v1/recommend_for_user")
    async def recommend_for_user(question: Question) -> Answer:
        return Answer(user_id=question.user_id, item_ids=recommender.recommend(question))

    @app.post("/in_a_thread/recommend_for_user")
    def recommend_in_a_thread(question: Question) -> Answer:
        return Answer(user_id=question.user_id, item_ids=recommender.recommend(question))

    return app


if __name__ == "__main__":
    uvicorn.run(create_app(Recommender(Path(sys.argv[1]))), host="127.0.0.1", port=0, access_log=False)
