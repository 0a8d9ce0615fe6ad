"""A contract is worth what it catches: one offender per law, and the error must say what it did."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pytest
from tests.contracts.worlds import world

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.errors import EncorecError
from encorec.protocols import Arrays, Reasons, Scored
from encorec.retrieval.covisitation import Covisitation
from encorec.retrieval.popularity import Popularity
from encorec.retrieval.scored import DenseScores
from encorec.retrieval.scoring import ScoringRetriever
from encorec.testing import ContractError, check_retriever
from encorec.types import Candidates, FloatMatrix, FloatVector, IntVector, Queries


def every_score(scored: Scored, queries: Queries) -> FloatMatrix:
    query, item = np.divmod(np.arange(len(queries) * queries.items), queries.items)
    return scored.at(query.astype(np.int32), item.astype(np.int32)).reshape(len(queries), queries.items)


class GuessesBeforeFit(Popularity):
    def arrays(self) -> Arrays:
        return self._learnt or {"popularity": np.zeros((1, 130), np.float32), "code": np.zeros((1, 0))}


class CrashesBeforeFit(Popularity):
    def arrays(self) -> Arrays:
        return self._learnt  # pyright: ignore[reportReturnType]


class DrawsElsewhere(Popularity):
    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        return {**super().learn(data, rng), "noise": np.random.default_rng().random(3)}


class SortsTheData(Popularity):
    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        data.interactions.item.sort()
        return super().learn(data, rng)


class LearnsFromUserNumbers(Popularity):
    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        table = data.interactions
        return super().learn(data.restrict(table.user < table.users // 2), rng)


class KeepsStateBesideItsArrays(Popularity):
    bonus: FloatVector | None = None

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        self.bonus = np.linspace(0, 1, data.interactions.items, dtype=np.float32)
        return super().learn(data, rng)

    def scored(self, queries: Queries) -> Scored:
        return DenseScores(every_score(super().scored(queries), queries) + (0 if self.bonus is None else self.bonus))


class SavesAList(Popularity):
    def arrays(self) -> Arrays:
        return {**super().arrays(), "names": ["a", "b"]}  # pyright: ignore[reportReturnType]


class LooksTheUserUp(Popularity):
    def scored(self, queries: Queries) -> Scored:
        scores = every_score(super().scored(queries), queries)
        if queries.user is not None:
            scores[queries.user >= 0, -1] += 5
        return DenseScores(scores)


class SortsTheQueries(Popularity):
    def scored(self, queries: Queries) -> Scored:
        queries.history.item.sort()
        return super().scored(queries)


class CutsBeforeItBars(Popularity):
    def retrieve(self, queries: Queries, n: int) -> Candidates:
        free = replace(queries.eligible, exclude=None, allow=None, restricted=None)
        found = super().retrieve(replace(queries, eligible=free), n)
        allowed = queries.eligible.mask(len(queries))[found.query, found.item]
        kept = Candidates(found.query[allowed], found.item[allowed], found.score[allowed], found.rank[allowed], ("x",))
        place = np.arange(len(kept)) - kept.indptr(len(queries))[kept.query] + 1
        return replace(kept, rank=place[:, None].astype(np.float32))


class ForgetsTheRules(Popularity):
    def retrieve(self, queries: Queries, n: int) -> Candidates:
        return super().retrieve(replace(queries, eligible=replace(queries.eligible, exclude=None)), n)


class KnowsOnlyItsHistory(Covisitation):
    def retrieve(self, queries: Queries, n: int) -> Candidates:
        found = super().retrieve(queries, n)
        busy = queries.history.lengths[found.query] > 0
        return Candidates(found.query[busy], found.item[busy], found.score[busy], found.rank[busy], found.sources)


class ReadsBehindTheCut(Covisitation):
    def scored(self, queries: Queries) -> Scored:
        return super().scored(queries.with_history(replace(queries.history, stop=None)))


class RanksWithinTheBatch(Popularity):
    def scored(self, queries: Queries) -> Scored:
        return DenseScores(every_score(super().scored(queries), queries) + np.float32(len(queries)))


class ScoresNaN(Popularity):
    def scores(self, queries: Queries) -> FloatMatrix:
        scores = super().scores(queries)
        return np.where(scores < 0, np.float32(np.nan), scores)


class ShowsOtherScores(Popularity):
    def retrieve(self, queries: Queries, n: int) -> Candidates:
        found = super().retrieve(queries, n)
        return replace(found, score=found.score * 2)


class MissesTheBest(Popularity):
    def retrieve(self, queries: Queries, n: int) -> Candidates:
        found = super().retrieve(queries, n + 1)
        more = np.diff(found.indptr(len(queries)))[found.query] > n
        kept = ~more | (found.rank[:, 0] > 1)
        return replace(
            found,
            query=found.query[kept],
            item=found.item[kept],
            score=found.score[kept],
            rank=(found.rank[:, 0] - more)[kept, None],
        )


class ComparesWithNobody(Popularity):
    def similar(self, items: IntVector) -> FloatMatrix:
        return np.full((len(items), 130), np.nan)


class CountsNewEventsTwice(Covisitation):
    def update(self, data: Dataset, events: Interactions) -> Self:
        return super().update(data.joined(events), events)


class ForgetsNewEvents(Covisitation):
    def update(self, data: Dataset, events: Interactions) -> Self:
        made = super().update(data, events)
        keys = ("indptr", "item", "value")
        grown = np.append(self.arrays()["indptr"], [len(self.arrays()["item"])] * data.interactions.items)
        old = {key: self.arrays()[key] for key in keys[1:]}
        return made.from_arrays(
            made.config, {**made.arrays(), **old, "indptr": grown[: data.interactions.items + 1].astype(np.int64)}
        )


class UpdatesItself(Covisitation):
    def update(self, data: Dataset, events: Interactions) -> Self:
        self._learnt = dict(super().update(data, events).arrays())
        return self


class ExplainsWithOthers(Covisitation):
    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        reasons = super().explain(queries, item)
        return reasons._replace(item=(reasons.item + 1) % np.int32(queries.items))


class ExplainsTheWeakestFirst(Covisitation):
    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        reasons = super().explain(queries, item)
        return reasons._replace(share=-reasons.share)


class ExplainsOneQueryMore(Covisitation):
    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        reasons = super().explain(queries, item)
        return reasons._replace(indptr=np.append(reasons.indptr, reasons.indptr[-1]))


class Rewrites(Popularity):
    """Answers well, then changes the columns of its answer."""

    def changed(self, found: Candidates) -> dict[str, Any]:
        raise NotImplementedError

    def retrieve(self, queries: Queries, n: int) -> Candidates:
        found = super().retrieve(queries, n)
        return replace(found, **self.changed(found)) if len(found) else found


class ProposesTwice(Rewrites):
    def changed(self, found: Candidates) -> dict[str, Any]:
        return {"item": np.where(found.rank[:, 0] == 2, found.item[found.rank[:, 0] == 1][0], found.item)}


class RanksFromZero(Rewrites):
    def changed(self, found: Candidates) -> dict[str, Any]:
        return {"rank": found.rank - 1}


class RanksTheWorstFirst(Rewrites):
    def changed(self, found: Candidates) -> dict[str, Any]:
        return {"score": -found.score}


class MixesTheQueries(Rewrites):
    def changed(self, found: Candidates) -> dict[str, Any]:
        return {name: getattr(found, name)[::-1] for name in ("query", "item", "score", "rank")}


class CountsFromOne(Rewrites):
    def changed(self, found: Candidates) -> dict[str, Any]:
        return {"item": found.item + 1}


class ScoresFlat(Rewrites):
    def changed(self, found: Candidates) -> dict[str, Any]:
        return {"score": found.score[:, 0]}


class ProposesNaN(Rewrites):
    def changed(self, found: Candidates) -> dict[str, Any]:
        return {"score": np.full_like(found.score, np.nan)}


class NamesItsItems(Rewrites):
    def changed(self, found: Candidates) -> dict[str, Any]:
        return {"item": found.item.astype(np.float64)}


class HasTwoNames(Rewrites):
    def changed(self, found: Candidates) -> dict[str, Any]:
        return {"sources": ("one", "two")}


OFFENDERS: dict[type[ScoringRetriever], str] = {
    GuessesBeforeFit: "answers before fit; allowed is NotFitted",
    CrashesBeforeFit: "fails before fit with TypeError",
    DrawsElsewhere: "two fits under one seed learn different noise",
    SortsTheData: "fit changed item",
    LearnsFromUserNumbers: "when users are numbered anew",
    KeepsStateBesideItsArrays: "answers differently after save and load",
    SavesAList: "arrays\\(\\) holds 'names' of type list",
    LooksTheUserUp: "answers depend on queries.user",
    SortsTheQueries: "retrieve changed history.item",
    CutsBeforeItBars: r"allowed is min\(n, eligible\)",
    ForgetsTheRules: "is not eligible; honour queries.eligible",
    KnowsOnlyItsHistory: r"got 0 items, allowed is min\(n, eligible\) = min\(10, 130\)",
    ReadsBehindTheCut: "behind the cut of a history",
    RanksWithinTheBatch: "is answered differently alone and among others",
    ScoresNaN: "NaN",
    ShowsOtherScores: "candidates carry other scores",
    MissesTheBest: "an eligible item scores above a candidate",
    ComparesWithNobody: "similar gives NaN",
    CountsNewEventsTwice: "from those of one fit",
    ForgetsNewEvents: "from those of one fit",
    UpdatesItself: "update changed .* of the old retriever",
    ExplainsWithOthers: "allowed are items of its history",
    ExplainsTheWeakestFirst: "put the strongest first",
    ExplainsOneQueryMore: "offsets that do not fit",
    ProposesTwice: "is proposed twice",
    RanksFromZero: "ranks of a query must be 1, 2, 3",
    RanksTheWorstFirst: "scores above its better rank",
    MixesTheQueries: "follows a later query",
    CountsFromOne: "does not exist",
    ScoresFlat: "candidates have the shapes",
    ProposesNaN: "has the score NaN",
    NamesItsItems: "columns of the kinds",
    HasTwoNames: "name the sources",
}


@pytest.mark.parametrize("offender", OFFENDERS, ids=lambda offender: offender.__name__)
def test_retriever_is_caught(offender: Callable[[], Any]) -> None:
    with pytest.raises(ContractError, match=OFFENDERS[offender]) as caught:  # pyright: ignore[reportArgumentType]
        check_retriever(offender, world())
    assert str(caught.value).startswith(f"{offender.__name__}: ")
    assert isinstance(caught.value, EncorecError)
