"""What a saved recommender is and where it comes from, with a checksum of every file and of itself."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from encorec.errors import ArtifactError
from encorec.pipeline.artifact_files import FileEntry, write_bytes

__all__ = ["FORMAT", "MANIFEST", "DataEntry", "Manifest", "is_artifact", "read_manifest", "write_manifest"]

FORMAT = 1
MANIFEST = "manifest.json"


class DataEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What the artifact was fitted on."""

    source: str
    fingerprint: str
    users: int
    items: int
    interactions: int
    end: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The contents of ``manifest.json``.

    Args:
        format: version of the layout.
        snapshot_id: short hash of all files: equal for equal content.
        name: of the configuration.
        created: ISO time.
        encorec: version that wrote it.
        seed: of the training.
        data: what it was fitted on: everything, the test period included.
        config: the pipeline's configuration.
        features: names of the learnt feature groups' columns.
        user_schema: the user features a query may carry.
        item_schema: names of the item features that are kept for people; none in older artifacts.
        files: every file but this one.
        order: retriever whose order is served, because the ranker gained nothing; none = the ranker's order.
        routing: histories of some length -> source whose order their queries get in place of the ranker's.
        checksum: SHA-256 of everything else in the manifest; fields at their defaults are not part of it.
        figures: measured before, by models that saw nothing of the test period.
        golden: requests with the answers that this artifact must give.
    """

    format: int
    snapshot_id: str
    name: str
    created: str
    encorec: str
    seed: int
    data: DataEntry
    config: dict[str, Any]
    features: dict[str, tuple[str, ...]]
    user_schema: dict[str, Any]
    files: dict[str, FileEntry]
    order: str | None = None
    routing: dict[str, str] = {}
    item_schema: dict[str, list[str]] = {}
    checksum: str = ""
    figures: dict[str, Any] = {}
    golden: list[dict[str, Any]] = []


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json`` with its checksum into ``folder``, replacing it in one step."""
    sealed = msgspec.structs.replace(manifest, checksum=_checksum(manifest))
    write_bytes(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(sealed), indent=2))


def read_manifest(folder: Path) -> Manifest:
    """The manifest alone.

    Raises:
        ArtifactError: missing, not JSON, altered, or of an unknown format.
    """
    path = folder / MANIFEST
    try:
        raw = path.read_bytes()
        version = msgspec.json.decode(raw, type=dict[str, Any]).get("format")
        if version != FORMAT:
            raise ArtifactError(
                f"{path}: format {version!r}, this encorec reads {FORMAT}; train again or update encorec"
            )
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ArtifactError(f"{folder}: no {MANIFEST} there; give a folder that `encorec train` wrote") from error
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error.strerror})") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: not a manifest ({error}); train again") from error
    if manifest.checksum != _checksum(manifest):
        raise ArtifactError(f"{path}: altered or torn (its checksum does not fit); train again")
    return manifest


def is_artifact(folder: Path) -> bool:
    """Whether a manifest of ours is there, of whatever format; web sites, too, have a ``manifest.json``."""
    try:
        return "snapshot_id" in msgspec.json.decode((folder / MANIFEST).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return False


def _checksum(manifest: Manifest) -> str:
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(manifest, checksum=""))).hexdigest()
