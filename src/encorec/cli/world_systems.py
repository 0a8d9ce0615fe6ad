"""Recommenders for the made-up cinema, each behind the real engine: trained on its past, or a saved artifact."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encorec.errors import ArtifactError, ConfigError, unknown_name

if TYPE_CHECKING:
    from encorec.experiment.simulation.closed_loop import Recommender

__all__ = ["BUILT_IN", "chosen_systems", "engine_recommender", "world_systems"]

BUILT_IN = ("popular", "als", "two-stage")


def chosen_systems(variants: Sequence[str], control: str, given: Mapping[str, str]) -> dict[str, str]:
    """What serves each variant: as given, else the built-in system of the variant's own name, else one in turn.

    Args:
        variants: of the experiment.
        control: gets ``popular`` where nothing else is said.
        given: variant -> built-in system or folder of an artifact.

    Raises:
        ConfigError: a system for a variant that does not exist, or more variants than built-in systems.

    Example:
        >>> chosen_systems(["control", "treatment"], "control", {})
        {'control': 'popular', 'treatment': 'two-stage'}
    """
    for name in given:
        if name not in variants:
            raise ConfigError(f"--systems: {unknown_name('variant', name, variants)}")
    chosen = {name: given.get(name, name if name in BUILT_IN else "") for name in variants}
    if not chosen[control]:
        chosen[control] = BUILT_IN[0]
    left = [one for one in reversed(BUILT_IN) if one not in chosen.values()]
    for name, system in chosen.items():
        if not system and not left:
            raise ConfigError(f"--systems: variant {name!r} has none; give one as {name}=ARTIFACT")
        chosen[name] = system or left.pop(0)
    return chosen


def world_systems(
    world: Any, chosen: Mapping[str, str], folder: Path, progress: Callable[[str, int, int], None] | None = None
) -> dict[str, "Recommender"]:
    """The engines behind each variant; what ``folder`` holds of an earlier run on the same world is not trained again.

    Args:
        world: whose past is learnt from.
        chosen: variant -> built-in system or folder of an artifact.
        folder: where trained systems are kept.
        progress: told what is being trained.

    Raises:
        ConfigError: neither a built-in system nor a folder.
        ArtifactError: a folder that is no artifact.
    """
    from encorec.data.sources.synthetic_kion import dataset_of
    from encorec.pipeline.engine import load_engine

    data, engines = dataset_of(world), dict[str, Any]()
    for system in dict.fromkeys(chosen.values()):
        if system not in BUILT_IN and not Path(system).is_dir():
            raise ConfigError(f"--systems: {unknown_name('system', system, BUILT_IN)}, or the folder of an artifact")
        place = _trained(system, data, folder / system, progress) if system in BUILT_IN else Path(system)
        engines[system] = load_engine(place)
        _refuse_foreign_items(place, engines[system], world)
    return {variant: engine_recommender(engines[system]) for variant, system in chosen.items()}


def engine_recommender(engine: Any) -> "Recommender":
    """An engine as the closed loop asks it: what was watched since the loop began is the state of the user.

    Args:
        engine: loaded.
    """
    from encorec.pipeline.requests import PastEvent, Request, UserState

    def recommend(users: Sequence[int], histories: Sequence[Sequence[Any]], now: int, k: int) -> list[list[Any]]:
        states = [
            UserState(tuple(PastEvent(one.item_id, one.timestamp) for one in past), tuple(one.item_id for one in past))
            for past in histories
        ]
        answers = engine.recommend([Request(user_id=user, k=k) for user in users], states, now=now)
        return [[one.item_id for one in answer.items] for answer in answers]

    return recommend


def _trained(system: str, data: Any, folder: Path, progress: Callable[[str, int, int], None] | None) -> Path:
    from encorec.pipeline.manifest import read_manifest

    try:
        if read_manifest(folder).data.fingerprint == data.fingerprint:
            return folder
    except ArtifactError:
        pass
    return _two_stage(data, folder, progress) if system == "two-stage" else _single(system, data, folder, progress)


def _single(name: str, data: Any, folder: Path, progress: Callable[[str, int, int], None] | None) -> Path:
    """One retriever, whose order is served."""
    from encorec.pipeline.artifact import save_artifact
    from encorec.pipeline.assembly import assemble
    from encorec.pipeline.fit import PipelineConfig, fit_first_stage

    config = PipelineConfig(retrievers={name: _retrievers()[name]})
    first = fit_first_stage(config, data, 0, progress)
    pipeline = assemble(config, first, data, 0, source=name)
    return save_artifact(folder, pipeline, config, data, name=name, seed=0)


def _two_stage(data: Any, folder: Path, progress: Callable[[str, int, int], None] | None) -> Path:
    from encorec.data.sources.synthetic_kion import SyntheticKion
    from encorec.data.splits import TimeCut
    from encorec.evaluation.backtest.settings import EvaluationConfig
    from encorec.pipeline.fit import CandidatesConfig, TrainingConfig
    from encorec.ranking.catboost_ranker import CatBoostConfig
    from encorec.workflow import RunConfig, examine, train

    run = RunConfig(
        name="two-stage",
        data=SyntheticKion(),
        split=TimeCut(days=7),
        retrievers=_retrievers(),
        candidates=CandidatesConfig(per_source=40),
        training=TrainingConfig(folds=3, negatives=30, max_queries=20_000, guard=False),
        ranker=CatBoostConfig(max_trees=150, depth=5, learning_rate=0.1),
        evaluation=EvaluationConfig(resamples=100, max_users=2000, explain=False),
    )
    exam = examine(run, data, progress=progress)
    return train(run, data, folder, exam=exam, progress=progress)


def _retrievers() -> dict[str, Any]:
    from encorec.retrieval.als import ALSConfig
    from encorec.retrieval.covisitation import CovisitationConfig
    from encorec.retrieval.item_knn import ItemKNNConfig
    from encorec.retrieval.popularity import PopularityConfig

    return {
        "popular": PopularityConfig(days=7),
        "als": ALSConfig(embedding_size=16, alpha=10, epochs=8),
        "item_knn": ItemKNNConfig(neighbours=50),
        "covisitation": CovisitationConfig(neighbours=100),
    }


def _refuse_foreign_items(place: Path, engine: Any, world: Any) -> None:
    known = set(world.films.id.tolist())
    if not known.issuperset(engine.artifact.items.ids.tolist()):
        raise ConfigError(f"--systems: {place} recommends items that this world does not have; train it on this world")
