"""The error of a broken contract, and what both kinds of contract compare with."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from encorec.config import decode
from encorec.errors import EncorecError
from encorec.protocols import Arrays
from encorec.types import Candidates

__all__ = ["ContractError", "differing", "require", "same_bits", "same_candidates", "through_json"]


class ContractError(EncorecError):
    """A component breaks the contract of its seam: names the component, what it did and what is allowed.

    Example:
        >>> issubclass(ContractError, EncorecError)
        True
    """


def require(holds: bool | np.bool_, component: str, told: str) -> None:
    """Refuse ``component`` unless the law holds.

    Args:
        holds: whether it does.
        component: name of what is tested.
        told: what it did, and what is allowed.

    Raises:
        ContractError: it does not hold.

    Example:
        >>> require(2 > 3, "Tea", "is cold; allowed is hot: boil it again")
        Traceback (most recent call last):
        ...
        encorec.testing.contract.ContractError: Tea: is cold; allowed is hot: boil it again
    """
    if not holds:
        raise ContractError(f"{component}: {told}")


def same_bits(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays of any one shape agree in shape, type and every bit.

    Example:
        >>> same_bits(np.array([0.0, np.nan]), np.array([0.0, np.nan])), same_bits(np.array([0.0]), np.array([-0.0]))
        (True, False)
    """
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()


def differing(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> str:
    """Names of the arrays, (n,) or of any other shape, that differ or are missing on one side; empty where all agree.

    Example:
        >>> differing({"tea": np.zeros(1), "cup": np.ones(2)}, {"tea": np.zeros(1), "cup": np.ones(3)})
        'cup'
    """
    shared = one.keys() & other.keys()
    differ = one.keys() ^ other.keys() | {name for name in shared if not same_bits(one[name], other[name])}
    return ", ".join(sorted(differ))


def same_candidates(one: Candidates, other: Candidates) -> bool:
    """Whether two answers agree in every bit; the name of the source does not count.

    Example:
        >>> answer = Candidates(np.array([0]), np.array([4]), np.array([[0.9]]), np.array([[1.0]]), ("als",))
        >>> same_candidates(answer, answer)
        True
    """
    return not differing(_columns(one), _columns(other))


def _columns(found: Candidates) -> Arrays:
    return {name: getattr(found, name) for name in ("query", "item", "score", "rank")}


def through_json(config: Any) -> Any:
    """The configuration as an artifact's manifest gives it back.

    Example:
        >>> from encorec.retrieval.ease import EASEConfig
        >>> through_json(EASEConfig(reg=5)) == EASEConfig(reg=5)
        True
    """
    return decode(msgspec.json.decode(msgspec.json.encode(config)), type(config))
