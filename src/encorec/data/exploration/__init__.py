"""What a data set is like: figures and a page, to be looked at before anything is trained on it."""

from encorec.data.exploration.exploration import Exploration, explore
from encorec.data.exploration.suspicion import SuspicionConfig

__all__ = ["Exploration", "SuspicionConfig", "explore"]
