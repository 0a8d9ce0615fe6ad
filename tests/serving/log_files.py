"""Logs written without a service."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from encorec.serving.logs.event_log import LoggedCall
from encorec.serving.logs.frames import HEADER, frame
from encorec.serving.logs.impressions import Impression
from encorec.serving.state.store import Event


def write_segment(folder: Path, stream: str, name: str, records: Sequence[Any]) -> Path:
    path = folder / stream / f"{name}.frames"
    path.parent.mkdir(parents=True, exist_ok=True)
    payloads = [msgspec.msgpack.encode(one) for one in records]
    path.write_bytes(HEADER + b"".join(frame(one) + one for one in payloads))
    return path


def event(name: str, user: int | str = 17, item: int | str = 242, **more: Any) -> Event:
    return Event(**{"event_id": name, "user_id": user, "item_id": item, "time": 50.0} | more)


def call(received: float, *events: Event) -> LoggedCall:
    return LoggedCall(received=received, now=int(received) + 1, events=events)


def impression(request_id: str, items: Sequence[int | str] = (242, 302), **more: Any) -> Impression:
    places = len(items)
    shown: dict[str, Any] = {
        "request_id": request_id,
        "time": 50.0,
        "user_id": 17,
        "placement": "main",
        "snapshot": "s1",
        "items": list(items),
        "scores": [1 / (place + 1) for place in range(places)],
        "sources": [["als", "popularity"]] * places,
        "positions": list(range(1, places + 1)),
        "propensities": [0.5] * places,
    }
    return Impression(**shown | more)
