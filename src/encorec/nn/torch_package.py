"""The one place where torch is imported: its absence is said here, with the line that installs it."""

from encorec.errors import MissingExtra

try:
    import torch
except ImportError as error:
    raise MissingExtra("torch", "neural") from error

__all__ = ["torch"]
