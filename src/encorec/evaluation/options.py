"""Where libraries silently disagree, said aloud: every convention of a metric that can be chosen."""

from typing import Literal, TypeAlias, get_args, get_type_hints

from encorec.config import Config
from encorec.errors import ConfigError, unknown_name

__all__ = [
    "DEFAULT_OPTIONS",
    "IldDistance",
    "MapDenominator",
    "MetricOptions",
    "MiufUnseen",
    "NdcgIdeal",
    "RecallDenominator",
]

RecallDenominator: TypeAlias = Literal["all", "min"]
MapDenominator: TypeAlias = Literal["all", "min", "k"]
NdcgIdeal: TypeAlias = Literal["achievable", "k"]
MiufUnseen: TypeAlias = Literal["one_user", "skip", "error"]
IldDistance: TypeAlias = Literal["hamming", "hamming_share", "jaccard", "cosine"]


class MetricOptions(Config, frozen=True):
    """How metrics are computed where more than one convention is in use.

    Args:
        recall_denominator: ``all`` relevant items of the user, or ``min`` of them and k; recall and f1.
        map_denominator: ``all`` relevant items (trec_eval, RecTools), ``min`` of them and k (RePlay), or ``k``
            (RecTools ``divide_by_k``). The list is cut at k first in every case.
        ndcg_ideal: the best list there is: ``achievable`` with the relevant items of the user, so that a perfect
            list scores 1, or ``k`` hits whether or not the user has as many (RecTools default).
        miuf_unseen: an item without users in train: counts as had by ``one_user`` (RecTools), ``skip`` leaves it out
            of the mean, ``error`` refuses it.
        ild_distance: between two items: ``hamming`` counts differing features, ``hamming_share`` divides that by the
            number of features, ``jaccard`` and ``cosine`` compare the sets of what the items have.

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
    miuf_unseen: MiufUnseen = "one_user"
    ild_distance: IldDistance = "hamming"

    def __post_init__(self) -> None:
        for name, choices in get_type_hints(type(self)).items():
            value, allowed = getattr(self, name), get_args(choices)
            if value not in allowed:
                raise ConfigError(unknown_name(name, str(value), allowed))


DEFAULT_OPTIONS = MetricOptions()
