"""Whether judges agree beyond chance: Cohen's kappa of two, Fleiss' kappa of any number."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from encorec.types import FloatMatrix, IntMatrix

__all__ = ["cohen_kappa", "fleiss_kappa", "pairwise_kappa"]


def cohen_kappa(table: FloatMatrix | IntMatrix) -> float | None:
    """Agreement of two judges beyond what their own habits would give by chance; cohen1960.

    Args:
        table: (c, c) how often the first said the row and the second the column.

    Returns:
        1 = always, 0 = as by chance; none where nothing was judged or only one answer was ever given.

    Example:
        >>> round(cohen_kappa(np.array([[20, 5], [10, 15]])), 3)
        0.4
    """
    counts = np.asarray(table, np.float64)
    total = counts.sum()
    if total == 0:
        return None
    share = counts / total
    by_chance = float(share.sum(1) @ share.sum(0))
    return None if by_chance >= 1 else (float(np.trace(share)) - by_chance) / (1 - by_chance)  # cohen1960, eq. 1


def fleiss_kappa(counts: FloatMatrix | IntMatrix) -> float | None:
    """Agreement of any number of judges beyond chance; fleiss1971, with answers per task that may differ in number.

    Args:
        counts: (t, c) answers of each kind per task; tasks with fewer than two answers say nothing and are left out.

    Returns:
        1 = always, 0 = as by chance; none where no task has two answers or only one answer was ever given.

    Example:
        >>> fleiss_kappa(np.array([[2, 0], [0, 2]])), fleiss_kappa(np.array([[2, 0], [2, 0]]))
        (1.0, None)
    """
    given = np.asarray(counts, np.float64)
    given = given[given.sum(1) >= 2]
    if not len(given):
        return None
    judges = given.sum(1)
    agreed = ((given**2).sum(1) - judges) / (judges * (judges - 1))  # fleiss1971, eq. 2
    by_chance = float(((given.sum(0) / given.sum()) ** 2).sum())
    return None if by_chance >= 1 else (float(agreed.mean()) - by_chance) / (1 - by_chance)  # fleiss1971, eq. 7


def pairwise_kappa(votes: Mapping[str, Mapping[int, str]], kinds: tuple[str, ...]) -> list[dict[str, object]]:
    """Cohen's kappa of every two judges, on the tasks that both have judged.

    Args:
        votes: judge -> task -> answer.
        kinds: of answers.

    Example:
        >>> pairwise_kappa({"Ada": {1: "a", 2: "b"}, "Bo": {1: "a", 2: "b", 3: "a"}}, ("a", "b"))
        [{'judges': ['Ada', 'Bo'], 'tasks': 2, 'agreed': 1.0, 'kappa': 1.0}]
    """
    place = {name: number for number, name in enumerate(kinds)}
    found: list[dict[str, object]] = []
    for one, other in combinations(votes, 2):
        both = votes[one].keys() & votes[other].keys()
        table = np.zeros((len(kinds), len(kinds)))
        for task in both:
            table[place[votes[one][task]], place[votes[other][task]]] += 1
        agreed = float(np.trace(table) / len(both)) if both else None
        found.append({"judges": [one, other], "tasks": len(both), "agreed": agreed, "kappa": cohen_kappa(table)})
    return found
