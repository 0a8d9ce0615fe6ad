"""First stages of label folds on disk: whatever a trial leaves as it was is fitted once, and mapped into memory."""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np

from encorec import __version__
from encorec.data.dataset import Dataset
from encorec.errors import ConfigError
from encorec.pipeline.artifact_files import write_array
from encorec.pipeline.candidate_features import CandidateFeatures
from encorec.pipeline.fit import PipelineConfig, Progress
from encorec.pipeline.leakage import Origin
from encorec.pipeline.retriever_fit import fit_retriever
from encorec.pipeline.two_stage import FirstStage
from encorec.protocols import Arrays, Retriever, Trainable
from encorec.retrieval.registry import restore_retriever

__all__ = ["FittedParts"]

_NAMES = "names.json"


class FittedParts:
    """Retrievers and feature tables by what they were fitted on and how.

    Args:
        folder: made at the first write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def first_stage(
        self, config: PipelineConfig, past: Dataset, digest: str, seed: int, progress: Progress | None = None
    ) -> FirstStage:
        """What ``fit_first_stage`` gives, but nothing is fitted twice.

        Args:
            config: the pipeline.
            past: everything that may be learnt from.
            digest: of the label fold that it is the past of.
            seed: of the training.
            progress: told what is being fitted.
        """
        retrievers: dict[str, Retriever] = {}
        for place, (name, one) in enumerate(config.retrievers.items()):

            def fit(name: str = name, one: Any = one, place: int = place) -> tuple[Arrays, Any]:
                if progress:
                    progress(f"fit {name}", place, len(config.retrievers))
                fitted = fit_retriever(name, one, past, np.random.default_rng([seed, place]), progress)
                if not isinstance(fitted, Trainable):
                    raise ConfigError(f"retriever {name!r} cannot be kept: it has no arrays() and from_arrays()")
                return fitted.arrays(), None

            arrays, _ = self._kept([msgspec.json.encode(one), digest, str(seed), str(place)], fit)
            retrievers[name] = cast(Retriever, restore_retriever(one, arrays))
        features = self._features(config, tuple(retrievers), past, digest)
        return FirstStage(retrievers, config.quotas(), features, Origin.of(past))

    def _features(
        self, config: PipelineConfig, sources: tuple[str, ...], past: Dataset, digest: str
    ) -> CandidateFeatures:
        wanted = config.resolved_features()

        def fit() -> tuple[Arrays, Any]:
            fitted = CandidateFeatures.fit(wanted, sources, past)
            return fitted.arrays(), fitted.learnt_names()

        arrays, names = self._kept([msgspec.json.encode(wanted), repr(sources), digest], fit)
        return CandidateFeatures.from_arrays(wanted, sources, names, arrays)

    def _kept(self, key: Sequence[str | bytes], fit: Callable[[], tuple[Arrays, Any]]) -> tuple[Arrays, Any]:
        """Arrays and what belongs to them under ``key``, memory-mapped; made by ``fit`` where they are not there."""
        parts = [one.encode() if isinstance(one, str) else one for one in (__version__, *key)]
        folder = self._folder / hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]
        kept = _read(folder)
        if kept is None:
            _write(folder, *fit())
            kept = _read(folder)
        if kept is None:
            raise ConfigError(f"{folder}: what was just written there cannot be read; choose another --out")
        return kept


def _write(folder: Path, arrays: Arrays, told: Any) -> None:
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for place, array in enumerate(arrays.values()):
        write_array(draft / f"{place}.npy", array)
    (draft / _NAMES).write_bytes(msgspec.json.encode([list(arrays), told]))
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(draft, folder)


def _read(folder: Path) -> tuple[Arrays, Any] | None:
    try:
        names, told = msgspec.json.decode((folder / _NAMES).read_bytes())
        arrays = {
            name: np.lib.format.open_memmap(folder / f"{place}.npy", mode="r").view(np.ndarray)
            for place, name in enumerate(names)
        }
    except (OSError, ValueError, msgspec.DecodeError):
        return None
    return arrays, told
