"""Which metrics are meant: ``map`` at 1, 5 and 10, ``ndcg@20``, or whatever the tables at hand allow."""

from collections.abc import Collection, Sequence

from encorec.errors import ConfigError
from encorec.evaluation.metrics.metric_table import OF_CATALOGUE, OF_QUALITY, WITHOUT_CUT, metric_names, parse_metric

__all__ = ["chosen", "only_quality", "without_features"]

_ALWAYS = ("precision", "recall", "hit_rate", "mrr", "map", "ndcg")
_BY_TRAIN = ("miuf", "serendipity", "avg_popularity")
_BY_ITEMS = ("ild",)
_BY_CATALOGUE = ("coverage", "gini")
_READS: dict[str, tuple[str, ...]] = {
    "miuf": ("train",),
    "serendipity": ("train",),
    "avg_popularity": ("train",),
    "popularity_lift": ("train",),
    "calibration": ("train", "items"),
    "ild": ("items",),
    "intersection": ("reference",),
}
_READS_ONE_OF: dict[str, tuple[str, ...]] = {
    "unexpectedness": ("train", "reference"),
    **dict.fromkeys(OF_CATALOGUE, ("train", "items")),
}


def chosen(wanted: Sequence[str] | None, at: Sequence[int], tables: Collection[str]) -> list[str]:
    """Names of metrics with their cut-offs, each once.

    Args:
        wanted: names with a cut-off (``map@10``) are taken as they are, names without one (``map``) at each of ``at``;
            none = the usual ones that the tables allow.
        at: cut-offs.
        tables: which of ``train``, ``items`` and ``reference`` there are.

    Raises:
        ConfigError: no such metric, a table that it reads is missing, a cut-off below 1, or nothing at all.

    Example:
        >>> chosen(["map", "ndcg@20", "r_precision"], [1, 5], [])
        ['map@1', 'map@5', 'ndcg@20', 'r_precision']
        >>> chosen(["miuf"], [5], ["items"])
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: miuf reads train, which was not given
    """
    names = _usual(tables) if wanted is None else list(wanted)
    if not names or not at:
        raise ConfigError("there is no metric to compute: name some, such as map@10, or a cut-off such as 10")
    metrics = [parse_metric(one) for name in names for one in _crossed(name, at)]
    for metric in metrics:
        _refuse_unreadable(metric.name, tables)
    return list(dict.fromkeys(str(one) for one in metrics))


def without_features(names: Sequence[str]) -> list[str]:
    """The names that can be computed where the items have no features; for those that nobody asked for by name.

    Example:
        >>> without_features(["map@10", "ild@10"])
        ['map@10']
    """
    return [name for name in names if "items" not in _READS.get(parse_metric(name).name, ())]


def only_quality(names: Sequence[str]) -> bool:
    """Whether lists may hold an item twice, as metrics of the quality of lists can read.

    Example:
        >>> only_quality(["unrepeated@10", "covered_users"]), only_quality(["unrepeated@10", "map@10"])
        (True, False)
    """
    return all(parse_metric(name).name in OF_QUALITY for name in names)


def _usual(tables: Collection[str]) -> list[str]:
    """Names that can be computed, in the order of reading."""
    return [
        *_ALWAYS,
        *(_BY_TRAIN if "train" in tables else ()),
        *(_BY_ITEMS if "items" in tables else ()),
        *(_BY_CATALOGUE if "train" in tables or "items" in tables else ()),
    ]


def _crossed(name: str, at: Sequence[int]) -> list[str]:
    if "@" in name or name in WITHOUT_CUT or name not in metric_names():
        return [name]
    return [f"{name}@{k}" for k in at]


def _refuse_unreadable(metric: str, tables: Collection[str]) -> None:
    missing = [name for name in _READS.get(metric, ()) if name not in tables]
    if missing:
        raise ConfigError(f"{metric} reads {' and '.join(missing)}, which {_was(missing)} not given")
    choices = _READS_ONE_OF.get(metric, ())
    if choices and not any(name in tables for name in choices):
        raise ConfigError(f"{metric} reads {' or '.join(choices)}, which were not given")


def _was(names: Sequence[str]) -> str:
    return "was" if len(names) == 1 else "were"
