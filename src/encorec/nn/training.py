"""The one training loop: steps, epochs, an early end, and a state from which a broken training goes on."""

import math
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from encorec.errors import ConfigError
from encorec.nn.checkpoint import State, read_checkpoint, write_checkpoint
from encorec.nn.epoch import Epoch, Watch
from encorec.nn.journal import Journal
from encorec.nn.layers import Table
from encorec.nn.lazy_adam import LazyAdam
from encorec.nn.schedule import rate_at
from encorec.nn.torch_package import torch
from encorec.nn.training_config import TrainingConfig

__all__ = ["Task", "device_of", "half_of", "train"]


class Task(Protocol):
    """What is trained: a network, its examples, and how well it does."""

    @property
    def module(self) -> torch.nn.Module:
        """The network."""
        ...

    @property
    def generator(self) -> torch.Generator:
        """Of what is dropped in training."""
        ...

    def steps(self) -> int:
        """Batches of one epoch."""
        ...

    def batches(self, rng: np.random.Generator) -> Iterator[Any]:
        """The batches of one epoch, in an order that ``rng`` draws."""
        ...

    def loss(self, batch: Any, rng: np.random.Generator) -> torch.Tensor:
        """Scalar loss of a batch."""
        ...

    def validate(self) -> float:
        """How well the network does; larger is better, NaN = nothing was kept aside to tell."""
        ...


def device_of(config: TrainingConfig) -> torch.device:
    """The device to train on.

    Raises:
        ConfigError: cuda is asked for and there is none.

    Example:
        >>> device_of(TrainingConfig(device="cpu"))
        device(type='cpu')
    """
    cuda = torch.cuda.is_available()
    if config.device == "cuda" and not cuda:
        raise ConfigError("training.device is 'cuda' but torch sees no such device; use 'cpu', or 'auto' for either")
    return torch.device("cpu" if config.device == "cpu" or not cuda else "cuda")


def half_of(device: torch.device) -> torch.dtype | None:
    """The 16-bit numbers that the device multiplies faster than 32-bit ones; none = it does not.

    Example:
        >>> half_of(torch.device("cpu")) in (None, torch.bfloat16)
        True
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    able = getattr(torch.cpu, "get_capabilities", dict)().get("amx_bf16", False)  # tiles of bfloat16: ten times as fast
    return torch.bfloat16 if able else None


def train(
    task: Task,
    config: TrainingConfig,
    rng: np.random.Generator,
    *,
    watch: Watch | None = None,
    folder: Path | None = None,
) -> tuple[Epoch, ...]:
    """Train ``task.module`` in place and leave it as it was after its best epoch, ready to answer.

    The same task, config and seed give the same numbers, whether the training was broken off between or not.

    Args:
        task: what is trained; its module already is on ``device_of(config)``.
        config: how.
        rng: of the order of the examples and of what the loss samples.
        watch: told of every epoch as it ends.
        folder: of the checkpoint and the logs; none = nothing is written.

    Example:
        >>> from encorec.nn.layers import Linear
        >>> class Line:  # learns y = 3 x from three points
        ...     module, generator = Linear(1, 1, np.random.default_rng(0)), torch.Generator()
        ...     def steps(self): return 1
        ...     def batches(self, rng): yield torch.tensor([[1.0], [2.0], [4.0]])
        ...     def loss(self, x, rng): return ((self.module(x) - 3 * x) ** 2).mean()
        ...     def validate(self): return float("nan")
        >>> config = TrainingConfig(epochs=200, learning_rate=0.3, precision="single", device="cpu")
        >>> epochs = train(Line(), config, np.random.default_rng(0))
        >>> len(epochs), round(float(Line.module.weight[0, 0].detach()), 1)
        (200, 3.0)
    """
    run = _Run(task, config, rng)
    journal = Journal(folder)
    if folder is not None:
        run.restore(read_checkpoint(folder))
    with closing(journal):
        while not run.done:
            run.run_epoch()
            if folder is not None:
                write_checkpoint(folder, run.state())
            journal.write(run.epochs)
            if watch is not None:
                watch(run.epochs[-1])
    task.module.load_state_dict(run.best)
    task.module.eval()
    return tuple(run.epochs)


class _Run:
    """A training under way."""

    def __init__(self, task: Task, config: TrainingConfig, rng: np.random.Generator) -> None:
        self.task, self.config, self.rng = task, config, rng
        self.device = device_of(config)
        self.kind = half_of(self.device) if config.precision == "auto" else None
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.kind == torch.float16)
        self.optimisers = _optimisers(task.module, config)
        self.epochs: list[Epoch] = []
        self.best = _copied(task.module)

    @property
    def done(self) -> bool:
        """Whether all epochs are run, or none of the last ones was better than one before them."""
        metrics, patience = [one.metric for one in self.epochs], self.config.patience
        if len(metrics) >= self.config.epochs:
            return True
        if patience is None or not metrics or math.isnan(metrics[0]):
            return False
        return len(metrics) - 1 - int(np.argmax(metrics)) >= patience

    def run_epoch(self) -> None:
        """One pass, and its place in the list of epochs."""
        started, steps = time.perf_counter(), self.task.steps()
        self.task.module.train()
        total, count = 0.0, 0
        for batch in self.task.batches(self.rng):
            step = len(self.epochs) * steps + count
            total += self._step(batch, rate_at(step, steps * self.config.epochs, self.config))
            count += 1
        self.task.module.eval()
        with torch.no_grad():
            metric = self.task.validate()
        better = math.isnan(metric) or metric > max((one.metric for one in self.epochs), default=-math.inf)
        if better:
            self.best = _copied(self.task.module)
        rate = self.optimisers[0].param_groups[0]["lr"]
        seconds = time.perf_counter() - started
        number, loss = len(self.epochs) + 1, total / max(count, 1)
        self.epochs.append(Epoch(number, loss, metric, rate, seconds, self.config.epochs))

    def _step(self, batch: Any, rate: float) -> float:
        for optimiser in self.optimisers:
            optimiser.param_groups[0]["lr"] = rate
            optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, self.kind, enabled=self.kind is not None):
            loss = self.task.loss(batch, self.rng)
        self.scaler.scale(loss).backward()
        if self.config.clip is not None:
            self.scaler.unscale_(self.optimisers[0])  # the only one: what is clipped is not lazy
            torch.nn.utils.clip_grad_norm_(self.task.module.parameters(), self.config.clip)
        for optimiser in self.optimisers:
            self.scaler.step(optimiser)
        self.scaler.update()
        return float(loss.detach())

    def state(self) -> State:
        """Everything that the next epoch depends on."""
        return State(
            module=_copied(self.task.module),
            best=self.best,
            optimisers=[one.state_dict() for one in self.optimisers],
            scaler=self.scaler.state_dict(),
            chance=self.task.generator.get_state(),
            rng=self.rng.bit_generator.state,
            epochs=[tuple(one) for one in self.epochs],
        )

    def restore(self, state: State | None) -> None:
        """Go on from there; none = from the beginning."""
        if state is None:
            return
        self.task.module.load_state_dict(state.module)
        for optimiser, saved in zip(self.optimisers, state.optimisers, strict=True):
            optimiser.load_state_dict(saved)
        self.scaler.load_state_dict(state.scaler)
        self.task.generator.set_state(state.chance)
        self.rng.bit_generator.state = state.rng
        self.best, self.epochs = state.best, [Epoch(*one) for one in state.epochs]


def _optimisers(module: torch.nn.Module, config: TrainingConfig) -> list[torch.optim.Optimizer]:
    """AdamW, loshchilov2019, and a lazy one for tables of which a step reads some rows only."""
    lazy = {id(one.weight): one.weight for one in module.modules() if isinstance(one, Table) and one.lazy}
    rest = [one for one in module.parameters() if one.requires_grad and id(one) not in lazy]
    made: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(rest, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
    ]
    return made + ([LazyAdam(lazy.values(), config.learning_rate)] if lazy else [])


def _copied(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
