"""What every request is answered with: the variants of its unit, the engine of these, and what is left to chance."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple, Protocol
from weakref import WeakKeyDictionary

from encorec.errors import ConfigError, EncorecError
from encorec.pipeline.chances import ExplorationConfig, seed_of
from encorec.pipeline.override import Override
from encorec.pipeline.requests import Answer, Chance, ItemId, Request, UserState
from encorec.pipeline.watch import Watch
from encorec.serving.experiments.rollouts import Rollout, VariantSettings
from encorec.serving.http.bodies import RecommendBody
from encorec.serving.snapshots.holder import ServedEngine

__all__ = ["OverridableEngine", "Plan", "Variants", "answer_planned"]

_MOST = 256  # combinations of variants that an engine is prepared for
_Drawn = tuple[str | None, ...]
_Made = dict[tuple[int, int], ServedEngine]  # by what it was made of: the engine and the settings, which live on


class OverridableEngine(ServedEngine, Protocol):
    """An engine that can answer in another way from the same artifact."""

    def overridden(self, override: Override) -> ServedEngine:
        """One that shares everything with this one but what ``override`` changes; ``ConfigError`` if it cannot."""
        ...


class Plan(NamedTuple):
    """How one request is answered.

    Args:
        engine: answers.
        variants: experiment -> variant.
        chance: what is left to chance; none = nothing.
    """

    engine: ServedEngine
    variants: dict[str, str]
    chance: Chance | None


class _Served(NamedTuple):
    """What a combination of variants is answered with; none = as the placement says."""

    engine: ServedEngine
    temperature: float | None
    head: int | None


class Variants:
    """Assigns requests to the variants of experiments, and says what these are answered with.

    The unit is the user, known or not; a guest's session where the request names one; for experiments that randomise
    sessions, the session alone. Requests without it are in no experiment.

    Args:
        rollouts: the experiments.
        exploration: placement -> what is left to chance there; elsewhere nothing is.
        load: the engine of a snapshot by its id or folder; none = variants may not name one.

    Raises:
        ConfigError: a snapshot that cannot be loaded.

    Example:
        >>> from types import SimpleNamespace
        >>> engine = SimpleNamespace(artifact=SimpleNamespace(snapshot_id="4af1"))
        >>> at_random = Variants((), {"main": ExplorationConfig(temperature=0.5, head=20)})
        >>> at_random.plan(RecommendBody(user_id=17), "r-1", engine, moment=0).chance
        Chance(temperature=0.5, seed=-6486740946367647128, head=20)
    """

    def __init__(
        self,
        rollouts: Sequence[Rollout] = (),
        exploration: Mapping[str, ExplorationConfig] | None = None,
        load: Callable[[str], ServedEngine] | None = None,
    ) -> None:
        self._rollouts, self._exploration = tuple(rollouts), dict(exploration or {})
        self._names = [rollout.spec.name for rollout in self._rollouts]
        self._nothing: _Drawn = (None,) * len(self._rollouts)
        self._loaded = {name: _loaded(name, where, load) for name, where in self._snapshots().items()}
        self._prepared: WeakKeyDictionary[ServedEngine, dict[_Drawn, _Served]] = WeakKeyDictionary()
        self._last: tuple[ServedEngine, dict[_Drawn, _Served]] | None = None

    def prepare(self, engine: ServedEngine) -> None:
        """Make everything that variants are answered with from ``engine``, before it is trusted with requests.

        Raises:
            ConfigError: a variant asks for what the engine does not have; names the file and the variant.
        """
        if self._rollouts:
            made: _Made = {}
            self._prepared[engine] = {drawn: self._serve(engine, drawn, made) for drawn in self._combinations()}

    def plan(self, request: Request, request_id: str, engine: ServedEngine, *, moment: float) -> Plan:
        """How a request is answered.

        Args:
            request: of ``/v1/recommend``; other requests are in no experiment, and nothing of theirs is left to chance.
            request_id: names the answer; the draw follows from it.
            engine: the current one.
            moment: seconds since 1970.

        Raises:
            ConfigError: a variant asks for what the engine does not have; ``prepare`` would have said so.
        """
        if not isinstance(request, RecommendBody):
            return Plan(engine, {}, None)
        temperature = head = None
        variants: dict[str, str] = {}
        if self._rollouts:
            drawn = self._drawn(request, moment)
            if drawn != self._nothing:
                engine, temperature, head = self._served(engine, drawn)
                variants = {name: one for name, one in zip(self._names, drawn, strict=True) if one is not None}
        usual = self._exploration.get(request.placement)
        if usual is not None:
            temperature = usual.temperature if temperature is None else temperature
            head = usual.head if head is None else head
        if not temperature:
            return Plan(engine, variants, None)
        chance = Chance(temperature=temperature, seed=seed_of(request_id), head=head or ExplorationConfig().head)
        return Plan(engine, variants, chance)

    def _drawn(self, request: RecommendBody, moment: float) -> _Drawn:
        """The variant of every experiment, in order."""
        session: ItemId | None = request.session_id
        user = session if request.user_id is None else request.user_id
        found: list[str | None] = []
        for rollout in self._rollouts:
            unit = session if rollout.by_session else user
            inside = unit is not None and rollout.runs(request.placement, moment)
            found.append(rollout.variant(unit) if inside else None)
        return tuple(found)

    def _served(self, engine: ServedEngine, drawn: _Drawn) -> _Served:
        if self._last is None or self._last[0] is not engine:
            if engine not in self._prepared:
                self.prepare(engine)
            self._last = engine, self._prepared[engine]
        served = self._last[1]
        if drawn not in served:  # testers may be in two experiments of one layer
            served[drawn] = self._serve(engine, drawn, {})
        return served[drawn]

    def _serve(self, engine: ServedEngine, drawn: _Drawn, made: _Made) -> _Served:
        """Where two experiments change the same thing, the first one does: testers alone can be in both."""
        temperature = head = None
        chosen = [(rollout, rollout.settings(one)) for rollout, one in zip(self._rollouts, drawn, strict=True)]
        snapshot = next((one.snapshot for _, one in chosen if one is not None and one.snapshot is not None), None)
        if snapshot is not None and snapshot != engine.artifact.snapshot_id:
            engine = self._loaded[snapshot]
        for rollout, settings in reversed(chosen):
            if settings is None:
                continue
            temperature = temperature if settings.temperature is None else settings.temperature
            head = head if settings.head is None else settings.head
            engine = _overridden(engine, settings, rollout, made)
        return _Served(engine, temperature, head)

    def _combinations(self) -> list[_Drawn]:
        """Everything that units can be in at once: of every layer, one variant of one experiment at most."""
        layers: dict[str, list[tuple[int, str]]] = {}
        for at, rollout in enumerate(self._rollouts):
            layers.setdefault(rollout.spec.layer, []).extend((at, name) for name in rollout.spec.variants)
        count = 1
        for choices in layers.values():
            count *= len(choices) + 1
        if count > _MOST:
            raise ConfigError(f"experiments: {count:,} combinations of variants, allowed are {_MOST}; use fewer layers")
        found: list[_Drawn] = []
        for chosen in product(*([None, *choices] for choices in layers.values())):
            places = dict(one for one in chosen if one is not None)
            found.append(tuple(places.get(at) for at in range(len(self._rollouts))))
        return found

    def _snapshots(self) -> dict[str, str]:
        """Snapshots that variants name, each with the file that names it first."""
        found: dict[str, str] = {}
        for rollout in self._rollouts:
            for settings in rollout.file.variant.values():
                if settings.snapshot is not None:
                    found.setdefault(settings.snapshot, rollout.where)
        return found


def answer_planned(
    plans: Sequence[Plan],
    requests: Sequence[Request],
    states: Sequence[UserState | None],
    *,
    now: int,
    watch: Watch | None = None,
) -> list[Answer]:
    """One answer per request, in order; one call of each engine.

    Args:
        plans: n plans.
        requests: n requests.
        states: n states or none.
        now: second of asking.
        watch: decides what there is time for; none = there is time, and what a stage raises is raised.
    """
    if len(plans) == 1:
        return _answered(plans[0].engine, plans, requests, states, now, watch)
    answers: dict[int, Answer] = {}
    for engine in {id(plan.engine): plan.engine for plan in plans}.values():
        places = [at for at, plan in enumerate(plans) if plan.engine is engine]
        asked, known = [requests[at] for at in places], [states[at] for at in places]
        found = _answered(engine, [plans[at] for at in places], asked, known, now, watch)
        answers.update(zip(places, found, strict=True))
    return [answers[at] for at in range(len(plans))]


def _answered(
    engine: ServedEngine,
    plans: Sequence[Plan],
    requests: Sequence[Request],
    states: Sequence[UserState | None],
    now: int,
    watch: Watch | None,
) -> list[Answer]:
    """The answers of one engine, which is told of chances only where there are any."""
    chances = [plan.chance for plan in plans]
    if any(chances):
        return engine.recommend(requests, states, now=now, watch=watch, chances=chances)
    return engine.recommend(requests, states, now=now, watch=watch)


def _overridden(engine: ServedEngine, settings: VariantSettings, rollout: Rollout, made: _Made) -> ServedEngine:
    """The engine as a variant answers with it, each one made once."""
    override = settings.override
    if not override.changes:
        return engine
    if (key := (id(engine), id(settings))) not in made:
        made[key] = _changed(engine, override, settings, rollout)
    return made[key]


def _changed(engine: ServedEngine, override: Override, settings: VariantSettings, rollout: Rollout) -> ServedEngine:
    name = next(name for name, one in rollout.file.variant.items() if one is settings)
    change: Callable[[Override], ServedEngine] | None = getattr(engine, "overridden", None)
    if change is None:
        raise ConfigError(f"{rollout.where}: variant {name!r}: this engine answers in one way only")
    try:
        return change(override)
    except ConfigError as error:
        raise ConfigError(f"{rollout.where}: variant {name!r}: {error}") from error


def _loaded(name: str, where: str, load: Callable[[str], ServedEngine] | None) -> ServedEngine:
    if load is None:
        raise ConfigError(f"{where}: snapshot {name!r} cannot be had here: the service was given one engine")
    beside = Path(where).parent / name
    try:
        return load(str(beside) if beside.is_dir() else name)
    except EncorecError as error:
        raise ConfigError(f"{where}: snapshot {name!r}: {error}") from error
