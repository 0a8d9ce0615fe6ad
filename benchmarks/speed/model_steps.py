"""Steps of training, for ``fresh.measure``."""

from collections.abc import Callable

import numpy as np
from benchmarks.speed import prepared
from benchmarks.speed.answer_steps import asked, engine
from benchmarks.speed.data_steps import untouched
from benchmarks.speed.size import SEED
from threadpoolctl import threadpool_limits

from encorec.pipeline.candidate_features import CandidateFeatures
from encorec.pipeline.fit import fit_ranker
from encorec.pipeline.two_stage import FirstStage, query_blocks
from encorec.ranking.training_set import label, sample
from encorec.retrieval.ease import EASEConfig
from encorec.retrieval.registry import make_retriever
from encorec.types import Candidates, ItemLists, Queries
from encorec.workflow import RunConfig

__all__ = ["draw_negatives", "featurise", "fit_ease", "fit_retriever", "fit_tables", "grow", "mark"]

USERS, TAKEN = 4000, 3
Block = tuple[Queries, Candidates]


def fit_retriever(share: float, name: str) -> Callable[[], int]:
    """A retriever of the reference run; tells interactions."""
    whole, wanted = prepared.data(share), prepared.config().retrievers[name]

    def run() -> int:
        make_retriever(wanted).fit(untouched(whole), rng=np.random.default_rng(SEED))
        return len(whole.interactions)

    return run


def fit_ease(share: float, items: int) -> Callable[[], int]:
    """EASE over the ``items`` most popular items; tells interactions."""
    whole, wanted = prepared.data(share), EASEConfig(max_items=items)

    def run() -> int:
        make_retriever(wanted).fit(untouched(whole), rng=np.random.default_rng(SEED))
        return len(whole.interactions)

    return run


def fit_tables(share: float) -> Callable[[], int]:
    """What the candidate features learn; tells interactions."""
    whole, run = prepared.data(share), prepared.config()
    wanted, sources = run.pipeline.resolved_features(), tuple(run.retrievers)

    def learn() -> int:
        CandidateFeatures.fit(wanted, sources, untouched(whole))
        return len(whole.interactions)

    return learn


def featurise(share: float, users: int = USERS, quick: bool = False) -> Callable[[], int]:
    """The candidate features of the reference run, on one thread; tells rows."""
    threadpool_limits(limits=1)
    blocks, first = _blocks(share, users, prepared.quick() if quick else None)

    def run() -> int:
        return sum(len(first.features.compute(*block, first.retrievers)) for block in blocks)

    return run


def mark(share: float) -> Callable[[], int]:
    """Labels of candidates, of which each query has taken three; tells rows."""
    blocks, rng = _blocks(share)[0], np.random.default_rng(SEED)
    pairs = [(found, _taken(found, len(queries), rng)) for queries, found in blocks]
    return lambda: sum(len(label(*pair)) for pair in pairs)


def draw_negatives(share: float) -> Callable[[], int]:
    """The draw of negatives among candidates, of which each query has taken three; tells rows to choose from."""
    blocks, rng = _blocks(share)[0], np.random.default_rng(SEED)
    marked = [(label(found, _taken(found, len(queries), rng)), found.query) for queries, found in blocks]
    negatives = prepared.config().training.negatives

    def run() -> int:
        for labels, query in marked:
            sample(labels, query, negatives, rng)
        return sum(len(query) for _, query in marked)

    return run


def grow(share: float) -> Callable[[], int]:
    """The ranker of the reference run from its two label folds; tells rows."""
    parts, names = prepared.label_rows(share)
    pipeline = prepared.config().pipeline

    def run() -> int:
        fit_ranker(pipeline, parts, names, SEED)
        return sum(len(part.rows) for part in parts)

    return run


def _blocks(share: float, users: int = USERS, run: RunConfig | None = None) -> tuple[list[Block], FirstStage]:
    """Candidates of some users, block by block as the pipeline asks for them."""
    served = engine(share, run)
    first, queries = served.artifact.pipeline.first, asked(served, users)
    parts = [queries.take(block) for block in query_blocks(queries)]
    return [(part, first.candidates(part)) for part in parts], first


def _taken(found: Candidates, queries: int, rng: np.random.Generator) -> ItemLists:
    """Three candidates of each query."""
    starts = found.indptr(queries)
    places = starts[:-1, None] + rng.integers(np.diff(starts)[:, None], size=(queries, TAKEN))
    return ItemLists(np.arange(0, places.size + 1, TAKEN), found.item[places].ravel())
