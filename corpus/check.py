"""check: what needs care in the corpus. Says, never changes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from corpus.collect import FORMATS
from corpus.errors import ReadError
from corpus.library import Library, file_hash
from corpus.read import read
from corpus.versions import Versioned, find_superseded

Trouble = Literal["missing", "changed", "duplicate", "superseded", "unreadable", "unreferenced", "not_in_manifest"]


@dataclass(frozen=True)
class Finding:
    """One thing that needs care. `advice` says what to type."""

    kind: Trouble
    id: str
    file: str
    message: str
    advice: str
    code: str | None = None  # of an unreadable file


@dataclass(frozen=True)
class Indexed:
    """What the published index knows already: texts by hash needn't be read again, nor failures found again."""

    texts: Mapping[str, tuple[str, str, str | None]]  # sha256 → text, title, date
    failures: Mapping[str, tuple[str, str]]  # sha256 → code, message


NOTHING_INDEXED = Indexed({}, {})


@dataclass(frozen=True)
class _Readable:
    path: Path
    versioned: Versioned
    text: str


def check(library: Library, others: Sequence[Path] = (), indexed: Indexed = NOTHING_INDEXED) -> list[Finding]:
    """Findings over the library's files, compared with `others` (the starter corpus) too."""
    findings: list[Finding] = []
    hashes: dict[str, str] = {file_hash(path): path.stem for path in others}
    readable: dict[str, _Readable] = {}
    for held in library.held.values():
        path = library.path(held)
        if not path.is_file():
            again = f"boussole corpus fetch {held.id}" if held.origin == "fetched" else "boussole corpus add FICHIER"
            findings.append(
                Finding("missing", held.id, held.file, "Le fichier a disparu.",
                        f"{again} (ou : boussole corpus remove {held.id})")
            )  # fmt: skip
            continue
        digest = file_hash(path)
        if digest != held.sha256:
            advice = (
                f"Voulu : boussole corpus add {path} --id {held.id}. Sinon : boussole corpus fetch {held.id}"
                if held.origin == "fetched"
                else f"Voulu : boussole corpus remove {held.id}, puis boussole corpus add FICHIER"
            )
            findings.append(
                Finding("changed", held.id, held.file, f"Le fichier n'est plus celui du {held.taken[:10]}.", advice)
            )
        if held.origin == "fetched" and library.manifest.get(held.id) is None:
            findings.append(
                Finding("not_in_manifest", held.id, held.file, "Récupéré, mais n'est plus au manifeste.",
                        f"boussole corpus remove {held.id}, ou rétablissez-le au manifeste")
            )  # fmt: skip
        if digest in hashes:
            findings.append(
                Finding("duplicate", held.id, held.file, f"Même fichier que « {hashes[digest]} ».",
                        f"boussole corpus remove {held.id}")
            )  # fmt: skip
            continue
        hashes[digest] = held.id
        try:
            readable[held.id] = _read(path, digest, held.id, library, indexed)
        except ReadError as error:
            findings.append(
                Finding("unreadable", held.id, held.file, str(error), "docs/corpus.md dit quoi faire de chaque code.",
                        error.code)
            )  # fmt: skip
    findings += _superseded(readable)
    findings += _unreferenced(library, hashes)
    return findings


def _read(path: Path, digest: str, identifier: str, library: Library, indexed: Indexed) -> _Readable:
    if digest in indexed.failures:
        code, message = indexed.failures[digest]
        raise ReadError(message, code=code)
    if digest in indexed.texts:
        text, title, date = indexed.texts[digest]
    else:
        document = read(path)
        text, title, date = "\n".join(page.text for page in document.pages), document.title, document.metadata.date
    notice = library.notice(path)
    versioned = Versioned(
        identifier,
        (notice.title if notice else None) or title,
        path.stem,
        (notice.date if notice else None) or date,
        notice.replaces if notice else (),
    )
    return _Readable(path, versioned, text)


def _superseded(readable: Mapping[str, _Readable]) -> list[Finding]:
    found = find_superseded([r.versioned for r in readable.values()], lambda id_: readable[id_].text)
    findings = []
    for old in found:
        newer = readable[old.by].versioned
        when = f" ({newer.date})" if newer.date else ""
        message = (
            f"Une version plus récente est là : « {newer.title} »{when}, {old.by}. Les réponses n'utilisent qu'elle."
        )
        findings.append(
            Finding("superseded", old.id, readable[old.id].path.name, message, f"boussole corpus remove {old.id}")
        )
    return findings


def _unreferenced(library: Library, hashes: Mapping[str, str]) -> list[Finding]:
    if not library.folder.is_dir():
        return []
    known = {held.file for held in library.held.values()}
    findings = []
    for path in sorted(library.folder.iterdir()):
        if path.name in known or path.name.startswith(".") or path.suffix.lower() not in FORMATS or not path.is_file():
            continue
        twin = hashes.get(file_hash(path))
        if twin is not None:
            findings.append(
                Finding("duplicate", path.stem, path.name, f"Même fichier que « {twin} ».", f"Supprimez « {path} »")
            )
        else:
            findings.append(
                Finding("unreferenced", path.stem, path.name, "Ce fichier n'est pas au registre.",
                        f"boussole corpus add {path}, puis supprimez-le")
            )  # fmt: skip
    return findings
