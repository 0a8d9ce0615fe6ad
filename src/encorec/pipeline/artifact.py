"""A saved recommender: plain arrays and a manifest. Loading it cannot execute code, and torn files are refused."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from encorec import __version__
from encorec.config import decode
from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable
from encorec.data.vocabulary import Vocabulary
from encorec.errors import ArtifactError, ConfigError
from encorec.pipeline.artifact_bounds import check_bounds
from encorec.pipeline.artifact_choice import choice_arrays, restore_choice
from encorec.pipeline.artifact_files import FileEntry, entry_of, open_array, replace_folder, verify_files, write_array
from encorec.pipeline.candidate_features import CandidateFeatures
from encorec.pipeline.eligibility import catalogue_of
from encorec.pipeline.fit import PipelineConfig
from encorec.pipeline.item_features import item_feature_arrays, item_schema, restore_item_features
from encorec.pipeline.manifest import FORMAT, MANIFEST, DataEntry, Manifest, is_artifact, read_manifest, write_manifest
from encorec.pipeline.two_stage import FirstStage, TwoStage
from encorec.pipeline.varied_selector import SelectionConfig
from encorec.protocols import Arrays, ItemSimilarity, Trainable
from encorec.ranking.registry import load_ranker
from encorec.retrieval.registry import restore_retriever
from encorec.types import BoolVector, FloatMatrix, Histories, IntVector

__all__ = ["Artifact", "load_artifact", "refuse_foreign", "save_artifact"]

COMPARING = ("item-knn", "als", "hybrid", "svd", "bpr", "ease", "covisitation", "content-knn", "two-tower", "sasrec")


@dataclass(frozen=True)
class Artifact:
    """Everything needed to answer requests; arrays are memory-mapped when loaded.

    Args:
        manifest: what it is and where it comes from.
        config: of the pipeline.
        pipeline: the two stages.
        users: ids of users.
        items: ids of items.
        histories: of all users, up to the end of the data.
        user_features: (users, F) float32.
        user_schema: what the columns of ``user_features`` are.
        catalogue: (items,) items that can be shown.
        popularity: (items,) users of each item.
        titles: (items,) str, or none.
        item_features: for people to read; none in artifacts made before they were kept.
    """

    manifest: Manifest
    config: PipelineConfig
    pipeline: TwoStage
    users: Vocabulary
    items: Vocabulary
    histories: Histories
    user_features: FloatMatrix
    user_schema: FeatureTable
    catalogue: BoolVector
    popularity: IntVector
    titles: NDArray[Any] | None
    item_features: FeatureTable | None = None

    @property
    def data_end(self) -> int:
        """The first second after the newest interaction."""
        return self.manifest.data.end

    @property
    def shows_seen(self) -> bool:
        """Whether items of a user's history may be shown again."""
        return self.config.seen == "keep"

    @property
    def snapshot_id(self) -> str:
        """Short hash of the content."""
        return self.manifest.snapshot_id

    @property
    def item_similarity(self) -> ItemSimilarity | None:
        """The retriever that compares items best: neighbours before vectors before what follows what; or none."""
        retrievers = self.pipeline.first.retrievers
        able = [name for name, one in retrievers.items() if isinstance(one, ItemSimilarity)]
        kinds = {name: str(type(one).__struct_config__.tag) for name, one in self.config.retrievers.items()}
        able.sort(key=lambda name: COMPARING.index(kinds[name]) if kinds.get(name) in COMPARING else len(COMPARING))
        return cast(ItemSimilarity, retrievers[able[0]]) if able else None

    def title(self, item: int) -> str:
        """What a person calls the item at row ``item``."""
        return str(self.items.ids[item] if self.titles is None else self.titles[item])


def save_artifact(
    folder: str | Path,
    pipeline: TwoStage,
    config: PipelineConfig,
    data: Dataset,
    *,
    name: str,
    seed: int,
    figures: dict[str, Any] | None = None,
) -> Path:
    """Write ``pipeline`` with what it needs of ``data``; the folder appears whole or not at all.

    Args:
        folder: where to; an artifact that is there is replaced.
        pipeline: fitted on ``data``.
        config: of the pipeline.
        data: everything it was fitted on.
        name: of the configuration.
        seed: of the training.
        figures: measured by models that saw nothing of the test period.

    Raises:
        ArtifactError: the folder holds something else.
    """
    folder = Path(folder)
    refuse_foreign(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}.{os.getpid()}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        files = _write_files(draft, pipeline, data)
        manifest = _manifest(pipeline, config, data, files, name, seed, figures or {})
        write_manifest(draft, manifest)
        replace_folder(folder, draft)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def refuse_foreign(folder: Path) -> None:
    """Refuse a place where something else than an artifact is; to be asked before the work, not after it.

    Raises:
        ArtifactError: a file, or a folder of something else.

    Example:
        >>> refuse_foreign(Path("nothing-there-yet"))
    """
    if folder.exists() and not is_artifact(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise ArtifactError(f"{folder}: exists and is not an artifact; choose another folder or remove it")


def load_artifact(folder: str | Path, *, verify: bool = True) -> Artifact:
    """Open an artifact; arrays are memory-mapped, so several processes share them.

    Args:
        folder: written by ``save_artifact``.
        verify: check every file's SHA-256 first.

    Raises:
        ArtifactError: no artifact, an unknown format, or a file that is missing, torn or altered.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if verify:
        verify_files(folder, manifest.files)
    arrays = {
        path.removesuffix(".npy"): open_array(folder, path, entry)
        for path, entry in manifest.files.items()
        if entry.shape is not None
    }
    try:
        config = decode(manifest.config, PipelineConfig, where=str(folder / MANIFEST))
        return _assemble(folder, manifest, config, arrays)
    except (KeyError, ConfigError) as error:
        raise ArtifactError(f"{folder}: written by encorec {manifest.encorec}, not understood here: {error}") from error


def _write_files(draft: Path, pipeline: TwoStage, data: Dataset) -> dict[str, FileEntry]:
    files = {f"{path}.npy": write_array(draft / f"{path}.npy", one) for path, one in _arrays_of(pipeline, data).items()}
    if pipeline.ranker is not None:
        before = set(draft.iterdir())
        pipeline.ranker.save(draft)
        files |= {path.name: entry_of(path) for path in set(draft.iterdir()) - before}
    return files


def _arrays_of(pipeline: TwoStage, data: Dataset) -> Arrays:
    """Every array of the artifact by its path."""
    histories = data.interactions.histories
    arrays: Arrays = {
        "users/ids": data.users.ids,
        "users/features": data.user_features.dense(),
        "items/ids": data.items.ids,
        "items/catalogue": catalogue_of(data),
        "items/popularity": data.interactions.item_users,
        "histories/indptr": histories.indptr,
        "histories/item": histories.item,
        "histories/time": histories.time,
        "histories/weight": histories.weight,
    }
    if data.titles is not None:
        arrays["items/titles"] = data.titles
    arrays |= {f"items/features/{key}": array for key, array in item_feature_arrays(data.item_features).items()}
    for name, retriever in pipeline.first.retrievers.items():
        if not isinstance(retriever, Trainable):
            raise ArtifactError(f"retriever {name!r} cannot be saved: it has no arrays() and from_arrays()")
        arrays |= {f"retrievers/{name}/{key}": array for key, array in retriever.arrays().items()}
    arrays |= choice_arrays(pipeline)
    return arrays | {f"features/{key}": array for key, array in pipeline.first.features.arrays().items()}


def _manifest(
    pipeline: TwoStage,
    config: PipelineConfig,
    data: Dataset,
    files: dict[str, FileEntry],
    name: str,
    seed: int,
    figures: dict[str, Any],
) -> Manifest:
    digest = hashlib.sha256(
        "".join([*sorted(f"{path}{one.sha256}" for path, one in files.items()), pipeline.source or ""]).encode()
    )
    if config.selection != SelectionConfig():  # its strengths are in no file
        digest.update(msgspec.json.encode(config.selection))
    routing = {} if pipeline.routing is None else dict(pipeline.routing.orders)
    if routing:
        digest.update(msgspec.json.encode(routing))
    table = data.interactions
    schema = {
        "numeric": list(data.user_features.numeric),
        "categorical": {name: list(one.values) for name, one in data.user_features.categorical.items()},
    }
    return Manifest(
        format=FORMAT,
        snapshot_id=digest.hexdigest()[:12],
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        encorec=__version__,
        seed=seed,
        data=DataEntry(
            source=data.name,
            fingerprint=data.fingerprint,
            users=table.users,
            items=table.items,
            interactions=len(table),
            end=table.end,
        ),
        config=msgspec.to_builtins(config),
        features=pipeline.first.features.learnt_names(),
        user_schema=schema,
        item_schema=item_schema(data.item_features),
        files=files,
        order=pipeline.source,
        routing=routing,
        figures=figures,
    )


def _assemble(folder: Path, manifest: Manifest, config: PipelineConfig, arrays: Arrays) -> Artifact:
    check_bounds(str(folder), arrays)
    retrievers = {
        name: restore_retriever(one, _below(arrays, f"retrievers/{name}/")) for name, one in config.retrievers.items()
    }
    features = CandidateFeatures.from_arrays(
        config.resolved_features(), tuple(retrievers), manifest.features, _below(arrays, "features/")
    )
    ranker = load_ranker(folder, config.ranker) if "ranker.json" in manifest.files else None
    first, history = FirstStage(retrievers, config.quotas(), features), _below(arrays, "histories/")
    return Artifact(
        manifest=manifest,
        config=config,
        pipeline=TwoStage(first, ranker, manifest.order, *restore_choice(config, manifest.routing, arrays)),
        users=Vocabulary(arrays["users/ids"]),
        items=Vocabulary(arrays["items/ids"]),
        histories=Histories(history["indptr"], history["item"], history["time"], history["weight"]),
        user_features=arrays["users/features"],
        user_schema=_schema(manifest.user_schema),
        catalogue=arrays["items/catalogue"],
        popularity=arrays["items/popularity"],
        titles=arrays.get("items/titles"),
        item_features=restore_item_features(
            str(folder), manifest.item_schema, _below(arrays, "items/features/"), len(arrays["items/ids"])
        ),
    )


def _schema(given: Mapping[str, Any]) -> FeatureTable:
    """A table of no entities that knows the columns."""
    none = np.empty(0, np.int32)
    return FeatureTable(
        0,
        numeric={name: np.empty(0, np.float32) for name in given["numeric"]},
        categorical={name: Categories(none, tuple(values)) for name, values in given["categorical"].items()},
    )


def _below(arrays: Arrays, prefix: str) -> Arrays:
    return {path.removeprefix(prefix): array for path, array in arrays.items() if path.startswith(prefix)}
