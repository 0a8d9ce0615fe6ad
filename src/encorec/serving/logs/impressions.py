"""The log of what was shown: with the events that name its request it tells what an item earned at its position."""

import msgspec

from encorec.pipeline.requests import ItemId
from encorec.serving.http.answers import RecommendAnswer, SimilarAnswer
from encorec.serving.logs.frame_log import FrameLog

__all__ = ["Impression", "ImpressionLog"]


class Impression(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: lists have an entry per item shown, in the order of the answer.

    Args:
        request_id: of the answer; events that it leads to name it.
        time: of the answer by the service's clock, seconds since 1970.
        user_id: as asked; none = a guest.
        session_id: of the request; experiments assign guests by it.
        placement: where it was shown.
        snapshot: the artifact that answered.
        variants: variant of every experiment that the user takes part in.
        items: ids as in the training data.
        scores: of the items.
        sources: names of the retrievers that proposed each item.
        positions: from 1.
        propensities: probability of the item at its position, given those above it.
        degraded: every stage that was skipped.

    Example:
        >>> shown = {"items": [242], "scores": [0.5], "sources": [["als"]], "positions": [1], "propensities": [1.0]}
        >>> Impression(request_id="r", time=50.0, user_id=17, placement="main", snapshot="s", **shown).variants
        {}
    """

    request_id: str
    time: float
    user_id: ItemId | None
    placement: str
    snapshot: str
    variants: dict[str, str] = {}
    items: list[ItemId]
    scores: list[float]
    sources: list[list[str]]
    positions: list[int]
    propensities: list[float]
    degraded: list[str] = []
    session_id: str | None = None


class ImpressionLog:
    """Writes what was shown. A request pays for the copy into memory; a crash may take the last few milliseconds.

    Args:
        frames: where it goes.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from encorec.serving.logs.event_log import Records
        >>> from encorec.serving.logs.frame_log import SegmentConfig
        >>> from encorec.serving.logs.segments import segments_of
        >>> answer = RecommendAnswer(request_id="r", user_id=1, items=[], model="m", degraded=[], unknown_ids=0)
        >>> with TemporaryDirectory() as folder:
        ...     frames = FrameLog(Path(folder), SegmentConfig())
        ...     ImpressionLog(frames).add(answer, time=50.0, placement="main")
        ...     frames.close()
        ...     [one.request_id for path in segments_of(Path(folder)) for one in Records(path, Impression)]
        ['r']
    """

    def __init__(self, frames: FrameLog) -> None:
        self._frames, self._encoder = frames, msgspec.msgpack.Encoder()

    def add(self, answer: RecommendAnswer, *, time: float, placement: str, session_id: str | None = None) -> None:
        """Log an answer. Never waits and never raises: what a failing disk does not take is dropped and counted.

        Args:
            answer: as it goes out.
            time: of the answer by the service's clock, seconds since 1970.
            placement: where it will be shown.
            session_id: of the request.
        """
        items = answer.items
        shown = Impression(
            request_id=answer.request_id,
            time=time,
            user_id=answer.user_id,
            placement=placement,
            snapshot=answer.model,
            variants=answer.variants,
            items=[item.item_id for item in items],
            scores=[item.score for item in items],
            sources=[item.source for item in items],
            positions=[item.position for item in items],
            propensities=[item.propensity for item in items],
            degraded=answer.degraded,
            session_id=session_id,
        )
        self._frames.append(self._encoder.encode(shown))

    def add_similar(self, answer: SimilarAnswer, *, time: float) -> None:
        """Log items like an item, as shown at the placement ``similar`` for certain to nobody known.

        Args:
            answer: as it goes out.
            time: of the answer by the service's clock, seconds since 1970.
        """
        items = answer.items
        shown = Impression(
            request_id=answer.request_id,
            time=time,
            user_id=None,
            placement="similar",
            snapshot=answer.model,
            items=[item.item_id for item in items],
            scores=[item.score for item in items],
            sources=[["similar"]] * len(items),
            positions=[item.position for item in items],
            propensities=[1.0] * len(items),
        )
        self._frames.append(self._encoder.encode(shown))
