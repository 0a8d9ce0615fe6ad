"""What was counted, as the text that Prometheus reads (exposition format 0.0.4)."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from encorec.serving.operations.cells import WorkerCells

__all__ = ["CONTENT_TYPE", "Family", "Kind", "Sample", "exposition", "merged"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]
Labels: TypeAlias = tuple[tuple[str, str], ...]


class Family(msgspec.Struct, frozen=True):
    """A metric and what it means.

    Args:
        name: in full, with its unit.
        kind: ``counter`` and ``histogram`` are summed over workers; a ``gauge`` is given for each that runs.
        about: one line.
        bounds: of a histogram: upper bounds of its buckets, increasing, without infinity.

    Example:
        >>> Family("encorec_shed_total", "counter", "Requests that were shed.").bounds
        ()
    """

    name: str
    kind: Kind
    about: str
    bounds: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """Cells: one, or for a histogram a count per bucket and the sum."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1


class Sample(msgspec.Struct, frozen=True):
    """The value of a metric at its labels; of a histogram, the counts of its buckets and the sum.

    Example:
        >>> Sample((("route", "/"),), [3.0]).values
        [3.0]
    """

    labels: Labels
    values: list[float]


def merged(family: Family, workers: Sequence[WorkerCells]) -> list[Sample]:
    """The values of a metric over all workers.

    Args:
        family: the metric.
        workers: what each of them counted.
    """
    found: dict[Labels, list[float]] = {}
    for worker in workers:
        for name in worker.names:
            if name.family != family.name or (family.kind == "gauge" and not worker.alive):
                continue
            values = worker.values[name.start : name.start + name.size].tolist()
            labels = (*name.labels, ("worker", worker.worker)) if family.kind == "gauge" else name.labels
            before = found.setdefault(labels, [0.0] * len(values))
            found[labels] = [one + more for one, more in zip(before, values, strict=True)]
    return [Sample(labels, values) for labels, values in sorted(found.items())]


def exposition(families: Mapping[str, Family], samples: Mapping[str, Sequence[Sample]]) -> str:
    r"""The text.

    Args:
        families: by name.
        samples: of each.

    Example:
        >>> told = Family("tea_total", "counter", "Cups.")
        >>> print(exposition({"tea_total": told}, {"tea_total": [Sample((("kind", 'a"b'),), [2.0])]}), end="")
        # HELP tea_total Cups.
        # TYPE tea_total counter
        tea_total{kind="a\"b"} 2
    """
    lines: list[str] = []
    for name, family in families.items():
        lines.append(f"# HELP {name} {_escaped(family.about)}")
        lines.append(f"# TYPE {name} {family.kind}")
        for sample in samples.get(name, ()):
            lines += _histogram(family, sample) if family.kind == "histogram" else [_line(name, sample)]
    return "\n".join(lines) + "\n"


def _line(name: str, sample: Sample) -> str:
    return f"{name}{_written(sample.labels)} {_number(sample.values[0])}"


def _histogram(family: Family, sample: Sample) -> list[str]:
    *buckets, total = sample.values
    lines: list[str] = []
    count = 0.0
    for bound, size in zip((*map(_number, family.bounds), "+Inf"), buckets, strict=True):
        count += size
        lines.append(f"{family.name}_bucket{_written((*sample.labels, ('le', bound)))} {_number(count)}")
    labels = _written(sample.labels)
    return [*lines, f"{family.name}_sum{labels} {_number(total)}", f"{family.name}_count{labels} {_number(count)}"]


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _written(labels: Labels) -> str:
    inner = ",".join(f'{name}="{_escaped(value, quoted=True)}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""


def _escaped(text: str, *, quoted: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quoted else text
