"""Requests in, answers out: the function behind the notebook, the batch job and the service.

Pure over an immutable artifact: what the service remembers of a user comes in as an argument, and so does the time.
"""

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from encorec.errors import ArtifactError, QueryError, unknown_name
from encorec.pipeline.artifact import COMPARING, Artifact, load_artifact
from encorec.pipeline.explain import explain_slate
from encorec.pipeline.overridden import overridden
from encorec.pipeline.override import Override
from encorec.pipeline.popular_order import PopularOrder
from encorec.pipeline.query_building import build_queries, stored_queries
from encorec.pipeline.requests import Answer, Chance, ItemId, Recommended, Request, Similar, UserState
from encorec.pipeline.watch import NothingRetrieved, Watch
from encorec.protocols import ItemSimilarity
from encorec.retrieval.scoring import fill_unscored
from encorec.retrieval.topk import top_k
from encorec.types import IntVector, Queries, Slate

__all__ = ["Engine", "load_engine"]

EXPLANATION = "explanation"


def load_engine(folder: str | Path, *, verify: bool = True) -> "Engine":
    """The engine over a saved artifact.

    Args:
        folder: written by ``encorec train``.
        verify: check every file's SHA-256 and ask the golden requests again.

    Raises:
        ArtifactError: the artifact cannot be trusted.
    """
    engine = Engine(load_artifact(folder, verify=verify))
    if verify:
        try:
            engine.check_golden()
        except (KeyError, IndexError, ValueError) as error:
            raise ArtifactError(f"{folder}: its golden requests cannot be answered ({error!r}); train again") from error
    return engine


class Engine:
    """Answers requests from one artifact.

    Args:
        artifact: loaded or just fitted.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact

    def recommend(
        self,
        requests: Sequence[Request],
        states: Sequence[UserState | None] | None = None,
        *,
        now: int | None = None,
        chances: Sequence[Chance | None] | None = None,
        watch: Watch | None = None,
    ) -> list[Answer]:
        """One answer per request, in order, each with ``min(k, eligible)`` items.

        Under a watch a stage that fails or comes too late is skipped, and the answer says so; where no source answers,
        it is the popular items. Of many requests only those do without a stage whom it failed.

        Args:
            requests: n requests.
            states: what is remembered of each user beyond the training data; none = nothing.
            now: the second of asking, seconds since 1970: earlier events count. None = the end of the data.
            chances: how far each slate is left to chance; none = not at all.
            watch: decides what there is time for; none = there is time, and what a stage raises is raised.

        Raises:
            QueryError: k below 1, or as many states or chances as requests are wanted and not given.
        """
        states = [None] * len(requests) if states is None else states
        chances = [None] * len(requests) if chances is None else chances
        if not len(states) == len(chances) == len(requests):
            raise QueryError(f"{len(requests)} requests but {len(states)} states and {len(chances)} chances")
        moment = self.artifact.data_end if now is None else now
        answers: list[Answer | None] = [None] * len(requests)
        alike = [(one.k, by.head if by and by.temperature else 0) for one, by in zip(requests, chances, strict=True)]
        for one in set(alike):
            places = [place for place, other in enumerate(alike) if other == one]
            chosen = [requests[place] for place in places]
            beside = [states[place] for place in places], [chances[place] for place in places]
            for place, answer in zip(places, self._watched(chosen, *beside, moment, one[0], watch), strict=True):
                answers[place] = answer
        return [answer for answer in answers if answer is not None]

    def slates(self, user_ids: Sequence[ItemId], k: int, *, now: int, threads: int = 1) -> Slate:
        """``recommend`` for many users of whom nothing but the training data is known, as arrays.

        Args:
            user_ids: n users; unknown ones are guests.
            k: places.
            now: the second of asking.
            threads: blocks of users that are answered side by side; answers do not depend on it.

        Raises:
            QueryError: k below 1.
        """
        if k < 1:
            raise QueryError(f"k is {k}, allowed is 1 or more")
        queries = stored_queries(self.artifact, self.artifact.users.rows(user_ids), now)
        return self.artifact.pipeline.recommend(queries, k, threads=threads)

    def overridden(self, override: Override) -> "Engine":
        """What a variant of an experiment answers with; ``ConfigError`` where it asks for what is not there."""
        return Engine(overridden(self.artifact, override))

    def similar(
        self,
        item_id: ItemId,
        k: int = 10,
        *,
        allow: Sequence[ItemId] | None = None,
        deny: Sequence[ItemId] = (),
        source: str | None = None,
    ) -> list[Similar]:
        """The ``min(k, eligible)`` items most alike ``item_id``.

        Items that were never met together with it follow by popularity, with a negative score.

        Args:
            item_id: that others are compared with.
            k: places.
            allow: the only items that may be shown; none = all.
            deny: items that may not be shown.
            source: the retriever that compares; none = the one of the artifact that does it best.

        Raises:
            QueryError: k below 1, an unknown item, or the retriever asked for does not compare items.
        """
        if k < 1:
            raise QueryError(f"k is {k}, allowed is 1 or more")
        items = self.artifact.items
        row = items.row(item_id)
        if row < 0:
            raise QueryError(f"item_id {item_id!r} is not among the {len(items)} items of the training data")
        prior = (self.artifact.popularity / max(self.artifact.popularity.max(), 1) - 1).astype(np.float32)
        scores = fill_unscored(self._comparing(source).similar(np.array([row])), prior)
        eligible = self.artifact.catalogue.copy()
        if allow is not None:
            allowed = np.zeros_like(eligible)
            allowed[_known(items.rows(allow))] = True
            eligible &= allowed
        eligible[_known(items.rows(deny))] = False
        eligible[row] = False
        found, score = top_k(scores, eligible[None, :], k)
        kept = found[0] >= 0
        pairs = zip(items.externals(found[0][kept]), score[0][kept].tolist(), strict=True)
        return [Similar(item_id=one, score=value, position=place) for place, (one, value) in enumerate(pairs, 1)]

    def _comparing(self, source: str | None) -> ItemSimilarity:
        """The retriever of this name, or the one that compares items best."""
        found = self.artifact.item_similarity
        if found is None:
            raise QueryError(f"no retriever of this artifact compares items; add one of kind {', '.join(COMPARING)}")
        if source is None:
            return found
        retrievers = self.artifact.pipeline.first.retrievers
        able = [name for name, one in retrievers.items() if isinstance(one, ItemSimilarity)]
        if source not in retrievers:
            raise QueryError(unknown_name("source", source, able))
        chosen = retrievers[source]
        if not isinstance(chosen, ItemSimilarity):
            raise QueryError(f"source {source!r} does not compare items; allowed: {', '.join(sorted(able))}")
        return chosen

    def popular(self, k: int = 10) -> list[ItemId]:
        """Ids of the items that most users took."""
        return self.artifact.items.externals(self._popular.order[:k])

    @cached_property
    def _popular(self) -> PopularOrder:
        return PopularOrder.of(self.artifact.popularity, self.artifact.catalogue & (self.artifact.popularity > 0))

    def check_golden(self) -> None:
        """Ask the golden requests again.

        Raises:
            ArtifactError: an answer differs from the one that was recorded when the artifact was made.
        """
        for entry in self.artifact.manifest.golden:
            request = msgspec.convert(entry["request"], Request)
            answer = self.recommend([request], now=entry["now"])[0]
            given = [one.item_id for one in answer.items]
            if given != entry["item_ids"]:
                raise ArtifactError(
                    f"golden request of user {request.user_id!r} gives {given}, recorded was {entry['item_ids']}"
                )

    def golden(self, user_ids: Sequence[ItemId | None]) -> list[dict[str, Any]]:
        """Requests of these users with their answers, to be recorded in the manifest."""
        requests = [Request(user_id=user_id) for user_id in user_ids]
        now = self.artifact.data_end
        return [
            {"request": msgspec.to_builtins(request), "now": now, "item_ids": [one.item_id for one in answer.items]}
            for request, answer in zip(requests, self.recommend(requests, now=now), strict=True)
        ]

    def _watched(
        self,
        requests: Sequence[Request],
        states: Sequence[UserState | None],
        chances: Sequence[Chance | None],
        now: int,
        k: int,
        watch: Watch | None,
    ) -> list[Answer]:
        """Answers of requests that are asked together, or where something fails, one by one."""
        together = None if watch is None else watch.apart()
        answers = self._answers(requests, states, chances, now, k, together)
        if watch is None or together is None or together.whole:
            return answers
        watch.take_in(together)
        parts = zip(requests, states, chances, strict=True)
        alone = (self._answers([one], [state], [chance], now, k, watch.apart()) for one, state, chance in parts)
        return answers if len(requests) == 1 else [answer for [answer] in alone]

    def _answers(
        self,
        requests: Sequence[Request],
        states: Sequence[UserState | None],
        chances: Sequence[Chance | None],
        now: int,
        k: int,
        watch: Watch | None,
    ) -> list[Answer]:
        if k < 1:
            raise QueryError(f"k is {k}, allowed is 1 or more")
        queries, unknown = build_queries(self.artifact, requests, states, now, chances)
        slate = self._slate(queries, k, watch)
        explained = {
            row: self._explained(queries.take(slice(row, row + 1)), slate.item[row], watch)
            for row, request in enumerate(requests)
            if request.explain
        }
        return [
            Answer(
                user_id=request.user_id,
                items=self._items(slate, row, explained.get(row)),
                degraded=[] if watch is None else watch.degraded,
                unknown_ids=unknown[row],
            )
            for row, request in enumerate(requests)
        ]

    def _slate(self, queries: Queries, k: int, watch: Watch | None) -> Slate:
        try:
            return self.artifact.pipeline.recommend(queries, k, watch=watch)
        except NothingRetrieved:
            if watch is None:
                raise
            watch.replaced = True
            return self._popular.slate(k, queries.eligible.mask(len(queries)))

    def _explained(self, queries: Queries, items: IntVector, watch: Watch | None) -> list[dict[str, Any]] | None:
        """Why each item is shown; none where that is not what its order comes from, or cannot be told in time."""
        explain = partial(explain_slate, self.artifact, queries, items)
        if watch is None:
            return explain()
        if not watch.whole:
            watch.left_out.append(EXPLANATION)
            return None
        return watch.attempt(EXPLANATION, explain)

    def _items(self, slate: Slate, row: int, explained: list[dict[str, Any]] | None) -> list[Recommended]:
        filled = int(np.count_nonzero(slate.item[row] >= 0))
        ids = self.artifact.items.externals(slate.item[row, :filled])
        scores, chances = slate.score[row].tolist(), slate.propensity[row].tolist()
        return [
            Recommended(
                item_id=item_id,
                score=scores[place],
                position=place + 1,
                source=slate.source_names(row, place),
                propensity=chances[place],
                explanation=explained[place] if explained else None,
            )
            for place, item_id in enumerate(ids)
        ]


def _known(rows: IntVector) -> IntVector:
    return rows[rows >= 0]
