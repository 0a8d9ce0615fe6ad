"""Experiments as the service runs them: the registered specification, and what each variant changes here."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path

import msgspec

from encorec.config import Config, load_toml
from encorec.errors import ConfigError, DataError, unknown_name
from encorec.experiment.assignment.draw import variant_of
from encorec.experiment.spec import ExperimentSpec, load_spec
from encorec.pipeline.chances import ExplorationConfig
from encorec.pipeline.override import Override
from encorec.pipeline.requests import ItemId

__all__ = ["SESSION_UNITS", "Rollout", "RolloutFile", "VariantSettings", "load_rollouts"]

SESSION_UNITS = ("session_id", "session")
"""Units of a specification by which sessions are randomised instead of users."""
_SUFFIX = ".variants.toml"
_REMEMBERED = 16_384  # units whose variant is kept, per experiment
_ALWAYS = (float("-inf"), float("inf"))


class VariantSettings(Override):
    """What one variant is served with; everything left out is as for everybody.

    Args:
        temperature: of the exploration, at every placement; 0 = nothing is left to chance.
        head: best items that exploration draws from.
        snapshot: answered from in place of the current one: its id in the store, or the folder of an artifact, seen
            from this file.

    Raises:
        ConfigError: a value outside its bounds.

    Example:
        >>> VariantSettings(temperature=0.3).fields
        {'temperature'}
    """

    temperature: float | None = None
    head: int | None = None
    snapshot: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        ExplorationConfig(temperature=self.temperature or 0.0, head=1 if self.head is None else self.head)

    @property
    def fields(self) -> set[str]:
        """Names of what differs."""
        return {name for name in self.__struct_fields__ if getattr(self, name) not in (None, {})}

    @property
    def override(self) -> Override:
        """What the engine does differently."""
        return Override(order=self.order, quotas=self.quotas, selection=self.selection)


class RolloutFile(Config):
    """``NAME.variants.toml``, beside the specification ``NAME.toml``.

    Args:
        placements: where the experiment runs; none = everywhere. Elsewhere nobody meets it.
        variant: what each variant changes; a variant that is left out changes nothing.

    Example:
        >>> RolloutFile(variant={"treatment": VariantSettings(temperature=0.3)}).placements
        ()
    """

    placements: tuple[str, ...] = ()
    variant: dict[str, VariantSettings] = msgspec.field(default_factory=dict[str, VariantSettings])


class Rollout:
    """One experiment, ready to be asked for the variant of a unit.

    Args:
        spec: as it was registered.
        file: what its variants change here.
        where: name of the file, for errors.

    Raises:
        ConfigError: strata (they are drawn for all units at once), or settings of a variant that is none.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,))
        >>> Rollout(spec).variant(17), Rollout(spec).variant("")
        ('b', None)
    """

    def __init__(self, spec: ExperimentSpec, file: RolloutFile | None = None, where: str = "experiment") -> None:
        self.spec, self.file = spec, file or RolloutFile()
        if spec.strata:
            raise ConfigError(
                f"{where}: experiment {spec.name!r} has strata, which are drawn for all units at once; a service meets "
                "units one by one: drop the strata"
            )
        for name in self.file.variant:
            if name not in spec.variants:
                raise ConfigError(f"{where}: {unknown_name('variant', name, spec.variants)}")
        self.where, self.by_session = where, spec.unit in SESSION_UNITS
        self.begin, self.end = _window(spec)
        self.variant = lru_cache(_REMEMBERED, typed=True)(self._variant)

    def settings(self, variant: str | None) -> VariantSettings | None:
        """What a variant changes; none = nothing."""
        return None if variant is None else self.file.variant.get(variant)

    def runs(self, placement: str, moment: float) -> bool:
        """Whether units are assigned at a placement and a moment (seconds since 1970)."""
        return self.begin <= moment < self.end and (not self.file.placements or placement in self.file.placements)

    def meets(self, other: "Rollout") -> bool:
        """Whether one request can take part in both."""
        places, others = self.file.placements, other.file.placements
        apart = bool(places and others) and not set(places) & set(others)
        return not apart and self.begin < other.end and other.begin < self.end

    def _variant(self, unit: ItemId) -> str | None:
        try:
            return variant_of(self.spec, unit)
        except DataError:  # an empty name, or half a character: nobody that offline analysis could find again
            return None


def load_rollouts(paths: Sequence[str | Path]) -> tuple[Rollout, ...]:
    """The experiments of files and folders, checked against each other.

    Args:
        paths: specifications (``NAME.toml``; what its variants change here stands in ``NAME.variants.toml`` beside it),
            or folders of them.

    Raises:
        ConfigError: a file that cannot be read, settings without a specification, two experiments of one name, of one
            layer that do not exclude each other, with one salt, or that both change the same thing.
    """
    found: list[Rollout] = []
    for path in _files(paths):
        beside = path.with_name(f"{path.name.removesuffix('.toml')}{_SUFFIX}")
        file = load_toml(beside, RolloutFile) if beside.exists() else None
        found.append(Rollout(load_spec(path), file, str(path if file is None else beside)))
    for at, one in enumerate(found):
        for other in found[:at]:
            _refuse_clash(other, one)
    return tuple(found)


def _files(paths: Sequence[str | Path]) -> list[Path]:
    """Every specification once, in order."""
    files: dict[Path, None] = {}
    for path in map(Path, paths):
        listed = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        for one in listed:
            spec = one.with_name(f"{one.name.removesuffix(_SUFFIX)}.toml") if one.name.endswith(_SUFFIX) else one
            if not spec.is_file():
                raise ConfigError(
                    f"{one}: there is no specification {spec.name} beside it" if spec != one else f"{one}: no such file"
                )
            files.setdefault(spec)
    return list(files)


def _window(spec: ExperimentSpec) -> tuple[float, float]:
    """First second of the experiment, and the first one after it; days are those of UTC."""
    if spec.start is None:
        return _ALWAYS
    start = datetime.combine(spec.start, time(), UTC)
    return start.timestamp(), _ALWAYS[1] if spec.days is None else (start + timedelta(spec.days)).timestamp()


def _refuse_clash(one: Rollout, other: Rollout) -> None:
    first, second = one.spec, other.spec
    both = f"experiments {first.name!r} ({one.where}) and {second.name!r} ({other.where})"
    if first.name == second.name:
        raise ConfigError(f"{both} have the same name; name them apart")
    if not one.meets(other):
        return
    if first.layer == second.layer:
        low, high = max(first.layer_from, second.layer_from), min(*(s.layer_from + s.share for s in (first, second)))
        if high - low > 1e-9:
            raise ConfigError(
                f"{both} share {low:g} to {high:g} of layer {first.layer!r}, whose experiments must exclude each "
                "other; change layer_from and share, the layer of one, or the dates"
            )
        return
    if first.salt_text == second.salt_text:
        raise ConfigError(f"{both} have the same salt {first.salt_text!r}: their variants would coincide; change one")
    changed = [set[str]().union(*(each.fields for each in rollout.file.variant.values())) for rollout in (one, other)]
    if twice := changed[0] & changed[1]:
        raise ConfigError(
            f"{both} both change {', '.join(sorted(twice))} and a user may be in both; put them into one layer"
        )
