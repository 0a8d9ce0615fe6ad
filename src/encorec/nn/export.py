"""What a network learnt, as plain arrays that numpy computes with."""

import numpy as np

from encorec.nn.torch_package import torch
from encorec.protocols import Arrays

__all__ = ["module_arrays", "plain", "stacked_arrays"]


def plain(value: torch.Tensor) -> np.ndarray:
    """A tensor as a float32 C-contiguous array of the same shape.

    Example:
        >>> plain(torch.zeros(2, 3).T).shape
        (3, 2)
    """
    return np.ascontiguousarray(value.detach().to("cpu", torch.float32).numpy())


def module_arrays(module: torch.nn.Module, prefix: str) -> Arrays:
    """The numbers of a module, float32 and C-contiguous, named ``prefix_a_b`` for its ``a.b``.

    Example:
        >>> from encorec.nn.layers import Norm
        >>> sorted(module_arrays(Norm(2), "norm"))
        ['norm_scale', 'norm_shift']
    """
    return {f"{prefix}_{name.replace('.', '_')}": plain(value) for name, value in module.state_dict().items()}


def stacked_arrays(modules: torch.nn.ModuleList, prefix: str) -> Arrays:
    """The numbers of like modules, those of the same name stacked: (modules, ...).

    Example:
        >>> from encorec.nn.layers import Norm
        >>> stacked_arrays(torch.nn.ModuleList([Norm(2), Norm(2)]), "norms")["norms_scale"].shape
        (2, 2)
    """
    parts = [module_arrays(one, prefix) for one in modules]
    return {name: np.stack([part[name] for part in parts]) for name in (parts[0] if parts else ())}
