"""Where libraries silently disagree, said aloud: every convention of a metric that can be chosen."""

from collections.abc import Iterable
from types import NoneType
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from encorec.config import Config, bounded
from encorec.errors import ConfigError, unknown_name

__all__ = [
    "DEFAULT_OPTIONS",
    "CalibrationDivergence",
    "DebiasMethod",
    "IldDistance",
    "MapDenominator",
    "MetricOptions",
    "MiufUnseen",
    "NdcgGain",
    "NdcgIdeal",
    "QualityUnit",
    "RecallDenominator",
    "SerendipityCatalogue",
]

RecallDenominator: TypeAlias = Literal["all", "min"]
MapDenominator: TypeAlias = Literal["all", "min", "k"]
NdcgIdeal: TypeAlias = Literal["achievable", "k"]
NdcgGain: TypeAlias = Literal["linear", "exponential"]
MiufUnseen: TypeAlias = Literal["one_user", "skip", "error"]
IldDistance: TypeAlias = Literal["hamming", "hamming_share", "jaccard", "cosine"]
SerendipityCatalogue: TypeAlias = Literal["train", "vocabulary", "given"]
CalibrationDivergence: TypeAlias = Literal["kl", "js"]
QualityUnit: TypeAlias = Literal["list", "place"]
DebiasMethod: TypeAlias = Literal["none", "iqr", "ips"]

_HUGE = 1e6
_TRUTHS = {"true": True, "false": False}


class MetricOptions(Config, frozen=True):
    """How metrics are computed where more than one convention is in use.

    On a command line an option is written with a dot after the metric: ``map.denominator=min`` (``from_pairs``).

    Args:
        recall_denominator: ``all`` relevant items of the user, or ``min`` of them and k; recall and f1.
        map_denominator: ``all`` relevant items (trec_eval, RecTools), ``min`` of them and k (RePlay), or ``k``
            (RecTools ``divide_by_k``). The list is cut at k first in every case.
        ndcg_ideal: the best list there is: ``achievable`` with the relevant items of the user, so that a perfect
            list scores 1, or ``k`` hits whether or not the user has as many (RecTools default).
        ndcg_gain: of an item with grade g: ``linear`` g, or ``exponential`` 2^g - 1; without grades both are 1.
        miuf_unseen: an item without users in train: counts as had by ``one_user`` (RecTools), ``skip`` leaves it out
            of the mean, ``error`` refuses it.
        serendipity_catalogue: the items that ranks are turned into probabilities by: those with a user in ``train``,
            the whole ``vocabulary`` of train, or those ``given`` to ``evaluate`` as its catalogue.
        ild_distance: between two items: ``hamming`` counts differing features, ``hamming_share`` divides that by the
            number of features, ``jaccard`` and ``cosine`` compare the sets of what the items have.
        coverage_absolute: the number of items shown in place of their share of the catalogue.
        calibration_divergence: of the list's genres from those of the history: Kullback-Leibler ``kl`` or
            Jensen-Shannon ``js``, both in nats.
        calibration_alpha: share of the history's distribution mixed into the list's, so that ``kl`` stays finite.
        calibration_feature: the tags or category that is meant by genre; none = the only one there is.
        intersection_reference_k: where the reference lists are cut; none = at the k of the metric.
        sufficient_unit: 1 for a full ``list`` and else 0, or the share of every ``place`` filled.
        unrepeated_unit: 1 for a ``list`` without repeats and else 0, or the share of every ``place`` that is none.
        debias_method: against the popularity of items in the truth: ``iqr`` down-samples the most popular ones
            (RecTools ``DebiasConfig``), ``ips`` weights every relevant item by its inverse propensity.
        debias_coefficient: ``iqr`` keeps at most Q3 + coefficient (Q3 - Q1) users of an item.
        debias_seed: of the down-sampling.
        debias_power: ``ips`` takes the propensity of an item as its number of users to this power.

    Raises:
        ConfigError: a value that is not listed above.

    Example:
        >>> MetricOptions(map_denominator="min").map_denominator
        'min'
        >>> MetricOptions(ndcg_ideal="achievible")
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: unknown ndcg_ideal 'achievible': did you mean 'achievable'? allowed: achievable, k
    """

    recall_denominator: RecallDenominator = "all"
    map_denominator: MapDenominator = "all"
    ndcg_ideal: NdcgIdeal = "achievable"
    ndcg_gain: NdcgGain = "linear"
    miuf_unseen: MiufUnseen = "one_user"
    serendipity_catalogue: SerendipityCatalogue = "train"
    ild_distance: IldDistance = "hamming"
    coverage_absolute: bool = False
    calibration_divergence: CalibrationDivergence = "kl"
    calibration_alpha: float = 0.01
    calibration_feature: str | None = None
    intersection_reference_k: int | None = None
    sufficient_unit: QualityUnit = "list"
    unrepeated_unit: QualityUnit = "list"
    debias_method: DebiasMethod = "none"
    debias_coefficient: float = 1.5
    debias_seed: int = 0
    debias_power: float = 1.0

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            value, allowed = getattr(self, name), get_args(kind)
            if get_origin(kind) is Literal and value not in allowed:
                raise ConfigError(unknown_name(name, str(value), allowed))
        bounded(
            self,
            calibration_alpha=(1e-12, 1),
            intersection_reference_k=(1, 1 << 31),
            debias_coefficient=(0, _HUGE),
            debias_seed=(0, 1 << 63),
            debias_power=(0, 10),
        )

    @classmethod
    def from_pairs(cls, pairs: Iterable[str]) -> "MetricOptions":
        """Read ``metric.option=value``, as many as there are.

        Raises:
            ConfigError: not of that form, an option given two values, no such option or value (names the nearest).

        Example:
            >>> MetricOptions.from_pairs(["map.denominator=min", "coverage.absolute=true"]).coverage_absolute
            True
            >>> MetricOptions.from_pairs(["map.denominater=min"])
            Traceback (most recent call last):
            ...
            encorec.errors.ConfigError: unknown option 'map.denominater': did you mean 'map.denominator'? allowed: ...
        """
        given: dict[str, Any] = {}
        for pair in pairs:
            option, value = _read(pair)
            if repr(given.setdefault(option, value)) != repr(value):
                raise ConfigError(f"option {option} is given as {given[option]!r} and as {value!r}; keep one of them")
        return cls(**{option.replace(".", "_", 1): value for option, value in given.items()})


def _read(pair: str) -> tuple[str, Any]:
    """The option and its value in ``map.denominator=min``."""
    option, equals, text = (part.strip() for part in pair.partition("="))
    if not equals or not text:
        raise ConfigError(f"option {pair!r} must be written metric.option=value, such as map.denominator=min")
    kinds = {name.replace("_", ".", 1): kind for name, kind in get_type_hints(MetricOptions).items()}
    if option not in kinds:
        raise ConfigError(unknown_name("option", option, kinds))
    return option, _value(option, text, kinds[option])


def _value(option: str, text: str, kind: Any) -> Any:
    """``text`` as the type that the option has."""
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise ConfigError(unknown_name(option, text, get_args(kind)))
        return text
    if kind is bool:
        if text.lower() not in _TRUTHS:
            raise ConfigError(unknown_name(option, text, _TRUTHS))
        return _TRUTHS[text.lower()]
    plain = next(one for one in (get_args(kind) or (kind,)) if one is not NoneType)
    try:
        return plain(text)
    except ValueError:
        raise ConfigError(f"option {option} is {text!r}, allowed is a number ({plain.__name__})") from None


DEFAULT_OPTIONS = MetricOptions()
