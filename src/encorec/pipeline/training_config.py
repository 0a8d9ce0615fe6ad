"""What the ranker learns from: label folds, the candidates that were not taken, and what rows are worth."""

from itertools import pairwise

from encorec.config import Config, bounded
from encorec.errors import ConfigError
from encorec.ranking.labels import LabelKind
from encorec.ranking.negatives import Negatives, NegativeStrategy

__all__ = ["TrainingConfig"]

MOST_GRADES = 30


class TrainingConfig(Config):
    """What the ranker learns from.

    Args:
        folds: label folds before the test; the newest says when to stop, the others teach.
        negatives: candidates not taken that are kept per query.
        strategy: which of them: ``random`` ones, ``all`` whatever their number, by ``popularity``, ``hard`` (those that
            retrieval places highest first), or first those of a log of ``impressions``, which the data then need.
        popularity_power: a candidate is drawn in proportion to its interactions to this power.
        hard_share: share of ``negatives`` that the highest placed fill; the others are random.
        labels: of what was taken: 1 (``taken``), or ``grades`` by the weight of its interactions for losses of order,
            or 1 in rows that count by that ``weight``.
        grades: weights of interactions at which the next grade begins; the first grade has the label 1, and so on.
        half_life: age in days at which rows of an older label fold count half as much; none = all ages alike.
        max_queries: users per fold; more are drawn at random.
        guard: where the ranker does not win the exam, the artifact serves the order of the best retriever instead.
        newest_teaches: once the newest label fold has said when to stop, it teaches too: the ranker is grown again,
            with as many trees, from all folds. What is decided on that fold is decided with the ranker that has not
            seen it.
        routing: queries with histories of a length for which the newest label fold shows another order to be better
            than the ranker's (``pipeline.routing_choice``) are answered in that order.

    Raises:
        ConfigError: out of bounds, grades without limits, or limits that do not rise.

    Example:
        >>> TrainingConfig(labels="grades", grades=(0.25, 0.75)).grades
        (0.25, 0.75)
    """

    folds: int = 5
    negatives: int = 60
    strategy: NegativeStrategy = "random"
    popularity_power: float = 0.75
    hard_share: float = 0.5
    labels: LabelKind = "taken"
    grades: tuple[float, ...] = ()
    half_life: float | None = None
    max_queries: int = 50_000
    guard: bool = True
    newest_teaches: bool = True
    routing: bool = True

    def __post_init__(self) -> None:
        bounded(self, folds=(1, 1000), negatives=(1, 100_000), max_queries=(1, 10**9))
        bounded(self, popularity_power=(0, 10), hard_share=(0, 1), half_life=(1e-3, 1e6))
        limits = self.grades
        if (self.labels == "grades") != bool(limits):
            raise ConfigError(
                f"training.grades is {list(limits)} and training.labels is {self.labels!r}; limits are needed for "
                "labels = 'grades', and only there, for example grades = [0.25, 0.5, 0.75]"
            )
        if len(limits) > MOST_GRADES - 1:
            raise ConfigError(f"training.grades has {len(limits)} limits, allowed are at most {MOST_GRADES - 1}")
        if any(not 0 < one < float("inf") for one in limits) or any(one >= two for one, two in pairwise(limits)):
            raise ConfigError(f"training.grades is {list(limits)}, allowed are rising limits above 0")

    @property
    def draw(self) -> Negatives:
        """How the candidates that were not taken are drawn."""
        return Negatives(self.strategy, self.negatives, self.popularity_power, self.hard_share)
