"""What there is to index: the files under the sources, each with its hash; a file whose hash is known isn't read again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from corpus.errors import UsageError
from corpus.notice import Notice
from corpus.slug import slug

PAGE_FORMATS = (".pdf", ".docx", ".odt", ".pptx")
TEXT_FORMATS = (".html", ".htm", ".md", ".txt")
NOT_DOCUMENTS = ("readme", "license", "licence", "changelog", "contributing")
HASHES = "hashes.json"
SETTLED = (
    2.0  # seconds: a file touched more recently may change again within the clock's grain, and is hashed each time
)
Describe = Callable[[Path], Notice | None]


@dataclass(frozen=True)
class FileFailure:
    path: str
    code: str
    message: str


@dataclass(frozen=True)
class SourceFile:
    path: Path
    document_id: str
    sha256: str
    notice: Notice | None = None

    @property
    def notice_key(self) -> dict[str, Any] | None:
        """The notice as it is kept in a generation, to see whether it has changed since."""
        return json.loads(json.dumps(asdict(self.notice))) if self.notice else None


@dataclass(frozen=True)
class Plan:
    """`fingerprint` changes with the files, their names and notices, and with what the caller gives as `parts`."""

    files: tuple[SourceFile, ...]
    skipped: tuple[str, ...]
    duplicates: tuple[str, ...]
    failures: tuple[FileFailure, ...]
    fingerprint: str


def plan(sources: Sequence[Path], index: Path, describe: Describe, parts: Sequence[object]) -> Plan:
    """The documents to index. Identical files are one document. Raises UsageError where there is none at all."""
    paths, skipped = find_files(sources)
    files: dict[str, SourceFile] = {}
    duplicates, failures, taken = list[str](), list[FileFailure](), set[str]()
    with KnownHashes(index / HASHES) as hashes:
        for path in paths:
            try:
                digest = hashes.of(path)
            except OSError as error:
                failures.append(_unreadable(path, error))
                continue
            if digest in files:
                duplicates.append(f"{path} = {files[digest].path}")
                continue
            base = identifier = slug(path.stem)
            number = 2
            while identifier in taken:
                identifier, number = f"{base}-{number}", number + 1
            taken.add(identifier)
            files[digest] = SourceFile(path, identifier, digest, describe(path))
    if not files and not failures:
        raise UsageError(
            "Aucun document à indexer. Donnez un dossier ou un fichier PDF : boussole index --source CHEMIN"
        )
    named = [f"{f.document_id}:{f.sha256}:{astuple(f.notice) if f.notice else ''}" for f in files.values()]
    fingerprint = hashlib.sha256("\n".join([*map(str, parts), *named]).encode()).hexdigest()
    return Plan(tuple(files.values()), tuple(skipped), tuple(duplicates), tuple(failures), fingerprint)


def _unreadable(path: Path, error: OSError) -> FileFailure:
    if isinstance(error, PermissionError):
        return FileFailure(
            str(path), "forbidden", f"« {path.name} » : lecture interdite. Donnez-vous le droit de lire."
        )
    if isinstance(error, IsADirectoryError):
        return FileFailure(str(path), "wrong_type", f"« {path.name} » n'est pas un fichier ordinaire : retirez-le.")
    return FileFailure(
        str(path), "vanished", f"« {path.name} » a disparu ou n'est pas lisible : vérifiez le fichier, puis relancez."
    )


def find_files(sources: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Documents under `sources`, and the names left aside: a text that bears the name of a PDF (or office file) beside it is
    its working copy, not a document. A file that is named is always taken. Raises UsageError where a source doesn't exist."""
    found: list[Path] = []
    skipped: list[str] = []
    for source in sources:
        if not source.exists():
            raise UsageError(f"Source introuvable : « {source} ». Vérifiez le chemin donné à --source.")
        if not source.is_dir():
            found.append(source)
            continue
        for folder, names in _walk(source):
            stems = {Path(name).stem for name in names if name.lower().endswith(PAGE_FORMATS)}
            for name in names:
                suffix, stem = Path(name).suffix.lower(), Path(name).stem
                if suffix in PAGE_FORMATS:
                    found.append(folder / name)
                elif suffix not in TEXT_FORMATS or stem in stems:  # fiche.md is what fiche.pdf is made from
                    continue
                elif stem.lower() in NOT_DOCUMENTS or Path(stem).stem in stems:  # cahier.ocr.txt beside cahier.pdf
                    skipped.append(str(folder / name))
                else:
                    found.append(folder / name)
    unique = {os.path.realpath(path): path for path in found}
    return [Path(path) for path in unique], skipped


def _walk(source: Path) -> Iterator[tuple[Path, list[str]]]:
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        yield Path(folder), sorted(name for name in names if not name.startswith((".", "~$")))


class KnownHashes:
    """sha256 of files, remembered by size, times, and inode. The change time (ctime) can't be set by hand, so a file that
    was rewritten with its old size and date is still seen. What was remembered is an economy: it may be lost at any time."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._known: dict[str, list[Any]] = {}
        self._now: dict[str, list[Any]] = {}

    def __enter__(self) -> KnownHashes:
        with contextlib.suppress(OSError, ValueError):
            known = json.loads(self._store.read_text(encoding="utf-8"))
            self._known = known if isinstance(known, dict) else {}
        return self

    def __exit__(self, *_: object) -> None:
        if self._now == self._known:
            return
        aside = self._store.with_name(f".{self._store.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            aside.write_text(json.dumps(self._now, ensure_ascii=False), encoding="utf-8")
            os.replace(aside, self._store)

    def of(self, path: Path) -> str:
        """The file's sha256. Raises OSError where it can't be read, or isn't a plain file (a pipe would never end)."""
        seen = path.stat()
        if not stat.S_ISREG(seen.st_mode):
            raise IsADirectoryError(str(path))
        signs = [seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_dev]
        known = self._known.get(str(path))
        if known and known[:-1] == signs:
            self._now[str(path)] = known
            return str(known[-1])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if time.time() - max(seen.st_mtime, seen.st_ctime) > SETTLED:
            self._now[str(path)] = [*signs, digest]
        return digest
