"""Worlds made once for all tests of the generator."""

import pytest

from encorec.data.synthetic.settings import WorldConfig
from encorec.data.synthetic.world import World


@pytest.fixture(scope="session")
def town() -> World:
    """A few thousand users and a few hundred items."""
    return World.of(WorldConfig(users=4000, items=400))


@pytest.fixture(scope="session")
def region() -> World:
    """The whole catalogue, with a fortieth of the users."""
    return World.of(WorldConfig(users=24_000))
