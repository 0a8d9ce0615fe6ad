"""The lazy Adam against torch's own."""

from copy import deepcopy

import numpy as np
import torch

from encorec.nn.lazy_adam import LazyAdam

STEPS = [[0, 2], [1, 2, 2], [0, 1, 2, 3], [3], [3, 0]]


def moved(make: type[torch.optim.Optimizer], steps: list[list[int]], *, sparse: bool) -> torch.Tensor:
    """A table after these steps, each of which reads some rows."""
    rng = np.random.default_rng(0)
    table = torch.nn.Parameter(torch.tensor(rng.normal(size=(4, 3))))
    optimiser = make([table], lr=0.01)  # type: ignore[call-arg]
    for rows in steps:
        optimiser.zero_grad()
        pull = torch.tensor(rng.normal(size=(len(rows), 3)))
        (torch.nn.functional.embedding(torch.tensor(rows), table, sparse=sparse) * pull).sum().backward()
        optimiser.step()
    return table.detach()


def test_it_moves_as_the_sparse_adam_of_torch() -> None:
    own = moved(LazyAdam, STEPS, sparse=True)
    torch.testing.assert_close(own, moved(torch.optim.SparseAdam, STEPS, sparse=True), rtol=1e-6, atol=1e-9)


def test_where_every_step_reads_all_rows_it_is_adam() -> None:
    steps = [[0, 1, 2, 3]] * 6
    own = moved(LazyAdam, steps, sparse=True)
    torch.testing.assert_close(own, moved(torch.optim.Adam, steps, sparse=False), rtol=1e-6, atol=1e-9)


def test_its_state_goes_on_where_it_was_saved() -> None:
    table = torch.nn.Parameter(torch.ones(3, 2))

    def step(optimiser: LazyAdam) -> None:
        optimiser.zero_grad()
        torch.nn.functional.embedding(torch.tensor([1, 2]), table, sparse=True).square().sum().backward()
        optimiser.step()

    first = LazyAdam([table], 0.1)
    step(first)
    kept, state = table.detach().clone(), deepcopy(first.state_dict())
    step(first)
    wanted = table.detach().clone()
    with torch.no_grad():
        table.copy_(kept)
    second = LazyAdam([table], 0.1)
    second.load_state_dict(state)
    step(second)
    torch.testing.assert_close(table.detach(), wanted, rtol=0, atol=0)
