"""Library: the operator's own documents (fetched or added), in one folder with a lock that says what each file is.

    DATA/documents/manifest.lock     for each: file, sha256, size, when and where from, what HTTP said of its version
    DATA/documents/ID.pdf            the files

The lock is replaced by one atomic rename; two commands at once wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from corpus.errors import ConfigurationError, UsageError
from corpus.manifest import Manifest
from corpus.notice import Notice

LOCK = "manifest.lock"
LOCK_SCHEMA = 1
Origin = Literal["fetched", "added"]


@dataclass(frozen=True)
class Held:
    """A document of the library. `title` and `date` are what is shown; the index reads them from the file or the manifest."""

    id: str
    file: str
    sha256: str
    size: int
    taken: str  # ISO, UTC
    origin: Origin
    title: str
    date: str | None = None
    source_url: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    previous: tuple[str, ...] = ()  # sha256 of the versions that it took the place of, newest first


class Library:
    """Reads the lock on opening; `put` and `drop` write it."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Raises ConfigurationError where the lock can't be read."""
        self.folder, self.manifest = folder, manifest
        self.held = self._load()

    def _load(self) -> dict[str, Held]:
        path = self.folder / LOCK
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            return {d["id"]: Held(**d | {"previous": tuple(d.get("previous", ()))}) for d in kept["documents"]}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"« {path} » est illisible : restaurez-le d'une sauvegarde, ou supprimez-le puis ajoutez de nouveau les "
                "documents (boussole corpus add)."
            ) from error

    def path(self, held: Held) -> Path:
        return self.folder / held.file

    def files(self) -> list[Path]:
        """Files of the library that are there."""
        return [path for held in self.held.values() if (path := self.path(held)).is_file()]

    def notice(self, path: Path) -> Notice | None:
        """What is known of the file at `path`: the manifest's entry, or the address that it came from."""
        held = self._by_path().get(os.path.realpath(path))
        if held is None:
            return None
        official = self.manifest.get(held.id)
        if official is not None:
            return official.notice()
        return Notice(source_url=held.source_url) if held.source_url else None

    def _by_path(self) -> dict[str, Held]:
        return {os.path.realpath(self.path(held)): held for held in self.held.values()}

    def by_hash(self, sha256: str) -> Held | None:
        return next((held for held in self.held.values() if held.sha256 == sha256), None)

    def put(self, source: Path, held: Held) -> Held:
        """Move `source` into the folder as `held.file`, in place of an older version. Raises ConfigurationError."""
        with self._writing():
            old = self.held.get(held.id)
            os.replace(source, self.path(held))
            if old is not None and old.file != held.file:
                self.path(old).unlink(missing_ok=True)
            self.held[held.id] = held
            self._save()
        return held

    def drop(self, identifier: str) -> Held:
        """Remove a document and its file. Raises UsageError where the library has none of this id."""
        with self._writing():
            held = self.held.pop(identifier, None)
            if held is None:
                raise UsageError(
                    f"« {identifier} » n'est pas un document ajouté ou récupéré. La liste est donnée par : boussole corpus list",
                    code="unknown_document",
                )
            self._save()
            self.path(held).unlink(missing_ok=True)
        return held

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / ".lock").open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                self.held = self._load()  # another command may have written since
                yield
        except OSError as error:
            raise ConfigurationError(
                f"Impossible d'écrire dans « {self.folder} » ({error.strerror}). Vérifiez la place et les droits, "
                "ou choisissez un autre dossier par BOUSSOLE_DATA."
            ) from error

    def _save(self) -> None:
        documents: list[dict[str, Any]] = [asdict(held) for held in sorted(self.held.values(), key=lambda h: h.id)]
        aside = self.folder / f".{LOCK}.new"
        text = json.dumps({"schema": LOCK_SCHEMA, "documents": documents}, ensure_ascii=False, indent=1)
        aside.write_text(text + "\n", encoding="utf-8")
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(aside, self.folder / LOCK)

    def copy_in(self, source: Path) -> Path:
        """A copy of `source` beside the documents, to be put in its place once it is known to be good."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            target = self.folder / f".incoming-{os.getpid()}{source.suffix.lower()}"
            shutil.copyfile(source, target)
        except OSError as error:
            raise ConfigurationError(
                f"Impossible de copier « {source.name} » dans « {self.folder} » ({error.strerror}). "
                "Vérifiez le fichier, la place et les droits."
            ) from error
        return target


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
