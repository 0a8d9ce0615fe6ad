"""No model may have seen what it is asked to foretell: what it was fitted on is written down, and compared.

A retriever that has seen the labels puts them first; the ranker learns to trust it and is wrong ever after. In the
reference measurement that turned a gain of 0.035 NDCG@10 into a loss of 0.020.
"""

from dataclasses import dataclass

import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.fold import Fold
from encorec.errors import DataError

__all__ = ["Origin", "refuse_leak"]


@dataclass(frozen=True)
class Origin:
    """What a model was fitted on.

    Args:
        fingerprint: of the data set.
        interactions: in it.
        end: the first second after the newest of them.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> Origin.of(Dataset.of(Interactions.of([0], [0], [59]))).end
        60
    """

    fingerprint: str
    interactions: int
    end: int

    @classmethod
    def of(cls, data: Dataset) -> "Origin":
        """Of a data set; its fingerprint is computed once."""
        return cls(data.fingerprint, len(data.interactions), data.interactions.end)


def refuse_leak(origin: Origin | None, fold: Fold) -> None:
    """Refuse a first stage that may have seen what the users of the fold did, and a fold whose histories tell it.

    Fit for use is what was fitted on exactly the fold's past, or on data that end a second before anybody is asked or
    sooner (a user asked at his own time is asked right after the second of the first item to foretell). The past of
    a split that asks every user at his own time holds later events of other users; they are no leak, for the test is
    cut in the same way, and so the past itself is the measure, not a moment.

    Args:
        origin: what the first stage was fitted on.
        fold: about to be asked.

    Raises:
        DataError: the first stage was fitted on other data that reach into the exam, or on unknown data; or a history
            of the fold holds an event at or after its time of asking.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.data.splits import LastN
        >>> data = Dataset.of(Interactions.of([0, 0], [0, 1], [5, 6]))
        >>> fold = LastN().folds(data)[0]
        >>> refuse_leak(Origin.of(fold.past), fold)
        >>> refuse_leak(Origin.of(data), fold)
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: label fold last-1: its first stage was fitted on 2 interactions that end at second ...
    """
    _refuse_future(fold)
    if origin is None:
        raise DataError(
            f"label fold {fold.name}: it is not known what its first stage was fitted on, so it may have seen the "
            "labels; fit it with fit_first_stage(config, fold.past, seed)"
        )
    past = fold.past
    if origin.fingerprint == past.fingerprint or origin.end < int(fold.now.min(initial=np.iinfo(np.int64).max)):
        return
    raise DataError(
        f"label fold {fold.name}: its first stage was fitted on {origin.interactions:,} interactions that end at "
        f"second {origin.end}, the past of the fold holds {len(past.interactions):,} that end at second "
        f"{past.interactions.end}; it may have seen the labels, fit it on fold.past"
    )


def _refuse_future(fold: Fold) -> None:
    """No history holds an event from its time of asking on: the newest of each is looked at."""
    last = fold.history.tail(1).compact()
    late = last.time >= fold.now[last.lengths > 0]
    if late.any():
        raise DataError(
            f"label fold {fold.name}: {int(late.sum())} of {len(fold)} histories hold events at or after the time of "
            "asking; cut them before it"
        )
