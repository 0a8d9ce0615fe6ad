"""Every candidate feature once more: plain Python, one candidate at a time, straight from its definition."""

from datetime import UTC, datetime
from math import cos, isnan, log, log2, nan, pi, sin

from tests.pipeline.drawn import DAY, HOUR, SOURCES, Asked, World

GAP_MINUTES = 150


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else nan


def known(values: list[float]) -> list[float]:
    return [value for value in values if not isnan(value)]


def scores(world: World, asked: Asked, place: int) -> list[float]:
    """Scores, ranks, scaled scores; how many proposed it, how high, and reciprocal rank fusion (cormack2009)."""
    own, ranks = asked.scores[place], asked.ranks[place]
    scaled = [_scaled(own[source], [row[source] for row in asked.scores]) for source in range(len(SOURCES))]
    given = known(ranks)
    return [*own, *ranks, *scaled, len(given), min(given, default=float("inf")), sum(1 / (60 + rank) for rank in given)]


def _scaled(value: float, column: list[float]) -> float:
    low, high = min(known(column), default=nan), max(known(column), default=nan)
    return (value - low) / (high - low) if high > low else value - low


def items(world: World, asked: Asked, place: int) -> list[float]:
    """Events in whole days before now: all, the last 1, 7, 30, 90 days, two ratios of them; age and idleness."""
    item, now = asked.candidates[place], asked.now
    midnight = min(time for _, _, time, _ in world.rows) // DAY * DAY
    days = 1 + (max(time for _, _, time, _ in world.rows) - midnight) // DAY
    today = min(max((now - midnight) // DAY, 0), days)
    newest = min(now, midnight + days * DAY)

    def relative(first_day: int) -> float:
        of_day = [(one, (time - midnight) // DAY) for _, one, time, _ in world.rows]
        inside = [one for one, day in of_day if first_day <= day < today]
        return inside.count(item) * len(world.years) / max(len(inside), 1)

    ever = relative(0)
    day, week, month, quarter = (relative((newest - days * DAY - midnight) // DAY) for days in (1, 7, 30, 90))
    taken = [time for _, one, time, _ in world.rows if one == item]
    past_days = [(time - midnight) // DAY for time in taken if (time - midnight) // DAY < today]
    age = max(now - min(taken), 0) / DAY if taken else 0
    idle = max(now - midnight - DAY * (1 + max(past_days, default=-1)), 0) / DAY
    return [ever, day, week, month, quarter, month / max(ever, 1e-6), week / (month + 0.1), age, idle]


def users(world: World, asked: Asked, place: int) -> list[float]:
    """Size, span, recency and pace of the history; how mainstream it is, and the candidate beside it."""
    times = [time for _, time, _ in asked.history]
    recent = [time for time in times if time >= asked.now - 30 * DAY]
    taken = [_popularity(world, item) for item, _, _ in asked.history]
    span = times[-1] - times[0] if times else nan
    idle = (asked.now - times[-1]) / DAY if times else nan
    own = _popularity(world, asked.candidates[place])
    step = span / max(len(times) - 1, 1) / HOUR
    gaps = [own - mean(taken), own - mean(taken[-5:])]
    return [len(times), len(recent), span / DAY, idle, step, mean(taken), *gaps]


def _popularity(world: World, item: int) -> float:
    """Log of the item's users relative to the average of the items that have any."""
    takers = [len({user for user, one, _, _ in world.rows if one == item}) for item in range(len(world.years))]
    return log2(0.01 + takers[item] / mean([float(one) for one in takers if one]))


def traits(world: World, asked: Asked, place: int) -> list[float]:
    """Share of the history with the item's genres, with its kind; distance of its year; all, then the last five."""
    item = asked.candidates[place]
    shares: list[float] = []
    gaps: list[float] = []
    for part in (asked.history, asked.history[-5:]):
        past = [one for one, _, _ in part]
        for values in (world.genres, [[kind] if kind else [] for kind in world.kinds]):
            shares.append(mean([mean([float(value in values[one]) for one in past]) for value in values[item]]))
            shares[-1] = 0.0 if not past and values[item] else shares[-1]
        gaps.append(world.years[item] - mean(known([world.years[one] for one in past])))
    return [*shares, *gaps]


def static(world: World, asked: Asked, place: int) -> list[float]:
    """Year and kind of the item, age and sex of the user; categories numbered by their interactions."""
    item, (age, sex) = asked.candidates[place], asked.features
    kinds = [world.kinds[one] for _, one, _, _ in world.rows]
    sexes = [world.sexes[user] for user, _, _, _ in world.rows]
    names = sorted({name for name in world.sexes if name})
    kind = world.kinds[item]
    return [
        world.years[item],
        nan if kind is None else _place(kind, {name for name in world.kinds if name}, kinds),
        age,
        nan if isnan(sex) else _place(names[int(sex)], set(names), sexes),
    ]


def _place(value: str, values: set[str], events: list[str | None]) -> float:
    return sorted(sorted(values), key=lambda one: -events.count(one)).index(value)


def own(world: World, asked: Asked, place: int) -> list[float]:
    """The user's events with the item: number, weight, idleness, pace, whether the next is due; number in 60 days."""
    mine = [(time, weight) for item, time, weight in asked.history if item == asked.candidates[place]]
    times, weights = [time for time, _ in mine], [weight for _, weight in mine]
    recent = [time for time in times if time >= asked.now - 60 * DAY]
    idle = (asked.now - times[-1]) / DAY if times else nan
    step = (times[-1] - times[0]) / (len(times) - 1) / DAY if len(times) > 1 else nan
    return [len(times), sum(weights), idle, step, idle / max(step, 0.04) if len(times) > 1 else nan, len(recent)]


def segments(world: World, asked: Asked, place: int) -> list[float]:
    """How much more often users of the same sex took the item than all users did, as if 20 more were like all."""
    item, sex = asked.candidates[place], asked.features[1]
    everybody = {user for user, _, _, _ in world.rows}
    takers = {user for user, one, _, _ in world.rows if one == item}
    if isnan(sex) or not takers:
        return [nan, nan]
    value = sorted({name for name in world.sexes if name})[int(sex)]
    alike = {user for user in everybody if world.sexes[user] == value}
    share = len(takers) / len(everybody)
    lift = log((len(alike & takers) + 20 * share) / (len(alike) + 20)) - log(share)
    return [lift, lift]


def time(world: World, asked: Asked, place: int) -> list[float]:
    """Hour and weekday in UTC; how much more of the item's events fall into this quarter and this kind of day."""
    now = datetime.fromtimestamp(asked.now, UTC)
    angle = 2 * pi * (now.hour * HOUR + now.minute * 60 + now.second) / DAY
    events = [(one, datetime.fromtimestamp(time, UTC)) for _, one, time, _ in world.rows]

    def lift(alike: list[tuple[int, bool]]) -> float:
        share = mean([float(same) for _, same in alike])
        own = [same for one, same in alike if one == asked.candidates[place]]
        return log((sum(own) + 20 * share) / (len(own) + 20)) - log(share) if own and share else nan

    part = lift([(one, then.hour // 6 == now.hour // 6) for one, then in events])
    kind = lift([(one, (then.weekday() >= 5) == (now.weekday() >= 5)) for one, then in events])
    return [sin(angle), cos(angle), now.weekday(), part, kind]


def session(world: World, asked: Asked, place: int) -> list[float]:
    """Events back to the first pause that is too long, counted from now; minutes that they span, and since then."""
    visit: list[int] = []
    for _, time, _ in reversed(asked.history):
        if (visit[-1] if visit else asked.now) - time > GAP_MINUTES * 60:
            break
        visit.append(time)
    return [len(visit), (visit[0] - visit[-1]) / 60, (asked.now - visit[0]) / 60] if visit else [0, nan, nan]
