"""The lazy names of the package: they exist, they are typed, and an unknown one is named as such."""

import re
from pathlib import Path

import pytest

import encorec


def test_every_public_name_resolves_and_is_declared_for_type_checkers() -> None:
    names = [name for name in dir(encorec) if name != "__version__"]
    declared = re.findall(r" as (\w+)$", Path(encorec.__file__).with_suffix(".pyi").read_text(encoding="utf-8"), re.M)
    assert names == sorted(declared)
    assert all(callable(getattr(encorec, name)) for name in names)


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'recommend'; it has Candidates"):
        encorec.recommend  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]
