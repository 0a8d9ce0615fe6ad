"""Lists, pages and answers that the tests of judging share."""

import polars as pl

from encorec.experiment.side_by_side import Answer, Key, Pairs, pair_lists
from encorec.experiment.side_by_side.key import KeyTask


def lists_of(users: int, shift: int, width: int = 5) -> pl.DataFrame:
    """Lists of ``users`` users whose items differ with ``shift``; the last user's never do."""
    rows = [
        (user, f"item {user + place * (1 if user == users - 1 else shift)}", place + 1)
        for user in range(users)
        for place in range(width)
    ]
    return pl.DataFrame(rows, schema=["user_id", "item_id", "rank"], orient="row")


def pairs_of(users: int = 12, seed: int = 0, **options: object) -> Pairs:
    return pair_lists(lists_of(40, 1), lists_of(40, 2), users=users, seed=seed, **options)  # pyright: ignore[reportArgumentType]


def key_of_sides(lefts: str) -> Key:
    tasks = tuple(KeyTask(task=place, user=str(place), left=left) for place, left in enumerate(lefts, 1))
    return Key(page="p", a="als", b="ease", seed=0, k=10, tasks=tasks)


def answers_of(key: Key, judge: str, choices: dict[int, str]) -> list[Answer]:
    lefts = {one.task: one.left for one in key.tasks}
    return [Answer(judge, task, choice, key.system(task, choice), lefts[task]) for task, choice in choices.items()]
