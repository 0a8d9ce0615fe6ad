"""Which unit gets which variant: a hash of the unit decides, so nothing has to be kept and every process agrees."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from encorec.errors import ConfigError, DataError
from encorec.experiment.assignment.stratified_draw import deal
from encorec.experiment.assignment.unit_hash import bucket_of, buckets_of
from encorec.experiment.spec import ExperimentSpec
from encorec.types import BoolVector, FloatVector, IntVector

__all__ = ["HOLDOUT_SALT", "NO_VARIANT", "Assignment", "assign", "unit_texts", "variant_of"]

HOLDOUT_SALT = "encorec-holdout"
"""Of the global holdout: the same for every experiment."""
NO_VARIANT = -1

Units: TypeAlias = Sequence[int] | Sequence[str] | IntVector | pl.Series


@dataclass(frozen=True)
class Assignment:
    """The variant of every unit.

    Args:
        bucket: (n,) float64 in [0, 1), of the experiment's salt.
        variant: (n,) int8 place in ``variants`` (int16 beyond 127 variants), -1 = not in the experiment.
        held_out: (n,) true where the unit is in the global holdout.
        layer: the experiment's.
        variants: names, as the specification orders them.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "treatment": 0.5}, metric=(clicks,))
        >>> found = assign(spec, range(1000))
        >>> found.counts, found.outside
        ({'control': 490, 'treatment': 510}, 0)
    """

    bucket: FloatVector
    variant: IntVector
    held_out: BoolVector
    layer: str
    variants: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.variant)

    @property
    def counts(self) -> dict[str, int]:
        """Units of every variant."""
        found = np.bincount(self.variant[self.variant >= 0], minlength=len(self.variants))
        return dict(zip(self.variants, found.tolist(), strict=True))

    @property
    def outside(self) -> int:
        """Units without a variant that are not held out: they lie outside the experiment's share of the layer."""
        return int(((self.variant == NO_VARIANT) & ~self.held_out).sum())

    @property
    def names(self) -> pl.Series:
        """(n,) name of the variant, none where the unit has none."""
        return pl.Series("variant", self.variants, dtype=pl.String).gather(
            pl.Series(self.variant).cast(pl.UInt32, strict=False)
        )


def assign(
    spec: ExperimentSpec, units: Units, strata: Mapping[str, Sequence[Any] | pl.Series] | None = None
) -> Assignment:
    """The variant of every unit, by its hash alone; with strata, by the order of the hashes within each stratum.

    The text of the unit is hashed, so 17 and "17" are the same. Three independent hashes decide: of the global
    holdout, of the place in the layer and of the variant. An override goes before all of them.

    Args:
        spec: of the experiment.
        units: (n,) integers or text; a unit may stand there several times.
        strata: (n,) values of each column of ``spec.strata``, for all units that the experiment will ever have.

    Raises:
        ConfigError: the specification has strata and these are not given, or the other way round.
        DataError: a unit that is neither an integer nor text, or, with strata, one that stands there twice.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,), share=0.5)
        >>> assign(spec, ["ann", "bob", "cid", "17"]).names.to_list(), assign(spec, [17]).names.to_list()
        ([None, None, None, 'b'], ['b'])
    """
    text = unit_texts(units)
    bucket, inside, held_out = _places(spec, text)
    ends = spec.variant_ends
    if spec.strata or strata:
        variant = _stratified(spec, text, bucket, inside, strata or {})
    else:
        variant = np.searchsorted(ends[:-1], bucket, side="right").astype(spec.code_type)
    variant[~inside] = NO_VARIANT
    variants = tuple(spec.variants)
    for unit, name in spec.overrides.items():
        mine = (text == unit).to_numpy()
        variant[mine], held_out[mine] = variants.index(name), False
    return Assignment(bucket, variant, held_out, spec.layer, variants)


def variant_of(spec: ExperimentSpec, unit: int | str) -> str | None:
    """The variant of one unit, as ``assign`` gives it; none = not in the experiment.

    Raises:
        ConfigError: the specification has strata: they are drawn for all units at once.
        DataError: the unit is neither an integer nor text.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,), share=0.5)
        >>> variant_of(spec, "ann"), variant_of(spec, 17)
        (None, 'b')
    """
    if spec.strata:
        raise ConfigError(f"experiment {spec.name!r} has strata: draw all units with assign(spec, units, strata)")
    text = _unit_text(unit)
    if spec.overrides and text in spec.overrides:
        return spec.overrides[text]
    if spec.holdout and bucket_of(HOLDOUT_SALT, text) < spec.holdout:
        return None
    low, high = spec.layer_ends
    if (low > 0 or high < 1) and not low <= bucket_of(_layer_salt(spec), text) < high:
        return None
    ends = spec.variant_ends
    place = bisect_right(ends, bucket_of(spec.salt_text, text), hi=len(ends) - 1)
    return next(islice(spec.variants, place, None))


def unit_texts(units: Units) -> pl.Series:
    """(n,) units as the text that is hashed.

    Raises:
        DataError: a unit that is missing, empty, or neither an integer nor text.

    Example:
        >>> unit_texts([17, 18]).to_list()
        ['17', '18']
    """
    given = _series(units)
    if given.dtype.is_float() and _whole(given):
        given = given.cast(pl.Int64)
    if not len(given):
        return pl.Series("unit", [], pl.String)
    if not (given.dtype.is_integer() or given.dtype in (pl.String, pl.Categorical, pl.Enum)):
        raise DataError(f"units are of type {given.dtype}, allowed are integers and text; convert them")
    text = given.cast(pl.String)
    bad = text.is_null() | (text == "")
    if bad.any():
        raise DataError(f"{bad.sum():,} of {len(text):,} units are missing or empty (first: row {bad.arg_max()})")
    return text


def _series(units: Units) -> pl.Series:
    if isinstance(units, np.ndarray) and units.dtype == object:
        units = units.tolist()
    if units is None or isinstance(units, str | bytes):
        raise DataError(f"units are {units!r}; give a list of integers or of text, or ask variant_of for one unit")
    try:
        return pl.Series("unit", np.asarray(units) if isinstance(units, range) else units)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise DataError(f"units cannot be read ({error}); give a list of integers or of text, not of both") from error


def _whole(given: pl.Series) -> bool:
    """Whether numbers with a point are integers all the same, as programs write them beside missing values."""
    return bool((given.is_finite() & (given == given.floor()) & (given.abs() < 2.0**53)).fill_null(False).all())


def _unit_text(unit: int | str) -> str:
    if isinstance(unit, bool) or not isinstance(unit, (int, str, np.integer)) or unit == "":
        raise DataError(f"unit is {unit!r}, allowed are integers and text that is not empty")
    return str(unit)


def _layer_salt(spec: ExperimentSpec) -> str:
    return f"encorec-layer/{spec.layer}"


def _places(spec: ExperimentSpec, text: pl.Series) -> tuple[FloatVector, BoolVector, BoolVector]:
    """Bucket of every unit, whether the experiment may have it, and whether it is held out."""
    low, high = spec.layer_ends
    salts = [spec.salt_text]
    salts += [HOLDOUT_SALT] if spec.holdout else []
    salts += [_layer_salt(spec)] if low > 0 or high < 1 else []
    found = dict(zip(salts, buckets_of(salts, text), strict=True))
    nowhere = np.zeros(len(text), bool)
    held_out = found[HOLDOUT_SALT] < spec.holdout if spec.holdout else nowhere
    place = found.get(_layer_salt(spec))
    inside = ~held_out if place is None else ~held_out & (low <= place) & (place < high)
    return found[spec.salt_text], inside, held_out.copy()


def _stratified(
    spec: ExperimentSpec,
    text: pl.Series,
    bucket: FloatVector,
    inside: BoolVector,
    strata: Mapping[str, Sequence[Any] | pl.Series],
) -> IntVector:
    """(n,) variants dealt within strata; units that are not inside, or overridden, take no part."""
    if set(strata) != set(spec.strata):
        raise ConfigError(
            f"experiment {spec.name!r} is drawn by the strata {', '.join(spec.strata) or 'none'}, "
            f"given are {', '.join(strata) or 'none'}; give the values of exactly those columns"
        )
    if (twice := text.is_duplicated()).any():
        raise DataError(
            f"{twice.sum():,} of {len(text):,} units stand there more than once "
            f"(such as {text[twice.arg_max() or 0]!r}); a draw by strata needs every unit once"
        )
    label = _labels(strata, spec.strata, len(text))
    taking_part = inside & ~text.is_in(list(spec.overrides)).to_numpy()
    label = label.filter(pl.Series(taking_part))
    known = label.unique().sort()
    variant = np.full(len(text), NO_VARIANT, spec.code_type)
    if len(known):
        offset = buckets_of([f"{spec.salt_text}/stratum"], known)[0]
        stratum = label.cast(pl.Enum(known)).to_physical().cast(pl.Int64).to_numpy()
        variant[taking_part] = deal(stratum, bucket[taking_part], offset, spec.variant_ends)
    return variant


def _labels(strata: Mapping[str, Sequence[Any] | pl.Series], names: Sequence[str], n: int) -> pl.Series:
    """(n,) text of the stratum of every unit; a missing value is a value of its own."""
    columns = {name: pl.Series(name, strata[name], strict=False).cast(pl.String) for name in names}
    for name, values in columns.items():
        if len(values) != n:
            raise DataError(f"stratum {name!r} has {len(values):,} values for {n:,} units; give one per unit")
    return pl.DataFrame(columns).select(pl.concat_str(pl.all().fill_null(""), separator="\x1f").alias("label"))["label"]
