"""fetch and add: documents into the operator's library, from the manifest's addresses or by hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from corpus.addresses import FetchError
from corpus.errors import BoussoleError, ReadError, UsageError
from corpus.fetch import Download, Fetcher
from corpus.library import Held, Library, file_hash, now
from corpus.manifest import OfficialDocument
from corpus.read import read
from corpus.slug import slug

FORMATS = (".pdf", ".docx", ".odt", ".pptx", ".html", ".htm", ".md", ".txt")
PAST_VERSIONS = 10  # hashes kept of those that were replaced
Progress = Callable[[str, int, int | None], None]  # id, bytes so far, total where known


@dataclass(frozen=True)
class Outcome:
    """What became of one document: fetched, updated (a newer version), unchanged, manual (no file address), failed."""

    id: str
    title: str
    status: str
    message: str = ""
    code: str | None = None
    url: str | None = None
    size: int | None = None
    sha256: str | None = None


def fetch_all(
    library: Library, wanted: Sequence[OfficialDocument], fetcher: Fetcher, progress: Progress = lambda *_: None
) -> Iterator[Outcome]:
    """Bring each document in turn; one that fails doesn't stop the others."""
    for document in wanted:
        if not document.has_file_address:
            yield _by_hand(library, document)
            continue
        try:
            yield _fetch_one(library, document, fetcher, progress)
        except BoussoleError as error:
            yield Outcome(document.id, document.title, "failed", str(error), error.code, document.url)


def _by_hand(library: Library, document: OfficialDocument) -> Outcome:
    if document.id in library.held:
        return Outcome(document.id, document.title, "unchanged", "ajouté à la main", url=document.url)
    where = f"Ouvrez {document.url}, téléchargez le document" if document.url else "Procurez-vous le document"
    message = f"{where}, puis : boussole corpus add FICHIER --id {document.id}"
    return Outcome(document.id, document.title, "manual", message, "no_address", document.url)


def _fetch_one(library: Library, document: OfficialDocument, fetcher: Fetcher, progress: Progress) -> Outcome:
    assert document.url is not None
    held = library.held.get(document.id)
    sound = held if held and held.source_url == document.url and _is_sound(library, held) else None
    part = library.folder / f".{document.id}.part"
    got = fetcher.fetch(
        document.url,
        part,
        etag=sound.etag if sound else None,
        last_modified=sound.last_modified if sound else None,
        progress=lambda done, total: progress(document.id, done, total),
    )
    if got.unchanged or (sound and got.sha256 == sound.sha256):
        part.unlink(missing_ok=True)
        return Outcome(
            document.id, document.title, "unchanged", url=document.url, size=held.size if held else None,
            sha256=held.sha256 if held else None,
        )  # fmt: skip
    library.put(part, _held(document, got, held))
    status = "updated" if held and held.sha256 != got.sha256 else "fetched"
    message = f"nouvelle version : elle remplace celle du {held.taken[:10]}" if held and status == "updated" else ""
    return Outcome(document.id, document.title, status, message, None, document.url, got.size, got.sha256)


def _is_sound(library: Library, held: Held) -> bool:
    try:
        return file_hash(library.path(held)) == held.sha256
    except OSError:
        return False


def _held(document: OfficialDocument, got: Download, old: Held | None) -> Held:
    past = (old.sha256, *old.previous)[:PAST_VERSIONS] if old and old.sha256 != got.sha256 else ()
    return Held(
        id=document.id,
        file=f"{document.id}.pdf",
        sha256=got.sha256,
        size=got.size,
        taken=now(),
        origin="fetched",
        title=document.title,
        date=document.date,
        source_url=document.url,
        etag=got.etag,
        last_modified=got.last_modified,
        previous=past,
    )


def add(
    library: Library,
    given: str,
    fetcher: Callable[[str], Fetcher],
    identifier: str | None = None,
    progress: Progress = lambda *_: None,
) -> Outcome:
    """A file or an address into the library; title, authors and date come from the document, or from the manifest where
    it is one of its own (same address, same title, or `identifier`). `fetcher` makes one that may ask a given host.

    Raises UsageError, FetchError, ReadError (the document can't be read: nothing is added).
    """
    url = given if given.lower().startswith(("http://", "https://")) else None
    etag = modified = None
    if url is None:
        source = Path(given)
        if not source.is_file():
            raise UsageError(f"Fichier introuvable : « {given} ». Vérifiez le chemin.")
        _check_format(source)
        incoming = library.copy_in(source)
        name = source.stem
    else:
        with fetcher(urlsplit(url).hostname or "") as asked:
            got = asked.fetch(
                url,
                library.folder / f".incoming-{slug(url)}.part",
                pdf=False,
                progress=lambda done, total: progress(given, done, total),
            )
        etag, modified, name = got.etag, got.last_modified, Path(unquote(urlsplit(got.url).path)).stem or "document"
        incoming = got.path.with_name(f".incoming-{os.getpid()}{_ending(got)}")
        os.replace(got.path, incoming)
    try:
        return _take_in(library, incoming, name, url, identifier, etag, modified)
    finally:
        incoming.unlink(missing_ok=True)


def _check_format(path: Path) -> None:
    if path.suffix.lower() not in FORMATS:
        known = ", ".join(ending.lstrip(".") for ending in FORMATS if ending != ".htm")
        raise UsageError(f"« {path.name} » : format non lu. Formats lus : {known}.", code="unsupported")


def _ending(got: Download) -> str:
    """The file's ending, by what it holds: an address often says nothing of it."""
    with got.path.open("rb") as file:
        head = file.read(1024)
    named = Path(unquote(urlsplit(got.url).path)).suffix.lower()
    if b"%PDF-" in head:
        return ".pdf"
    if b"<html" in head.lower() or b"<!doctype html" in head.lower():
        return ".html"
    if head.startswith(b"PK") and named in (".docx", ".odt", ".pptx"):
        return named
    if named in (".md", ".txt") and b"\0" not in head:
        return named
    got.path.unlink(missing_ok=True)
    raise FetchError(
        f"« {got.url} » n'est ni un PDF, ni une page, ni un document que Boussole 17 lit.", code="wrong_type"
    )


def _take_in(
    library: Library,
    incoming: Path,
    name: str,
    url: str | None,
    identifier: str | None,
    etag: str | None,
    modified: str | None,
) -> Outcome:
    sha256 = file_hash(incoming)
    twin = library.by_hash(sha256)
    if twin is not None and identifier in (None, twin.id) and library.path(twin).is_file():
        return Outcome(
            twin.id, twin.title, "unchanged", f"déjà dans le corpus sous le nom « {twin.id} »", sha256=sha256
        )
    try:
        document = read(incoming)
    except ReadError as error:
        told = str(error).replace(incoming.name, name + incoming.suffix)
        raise ReadError(told, code=error.code) from error
    title = document.title if document.title != incoming.stem else name
    official = (
        library.manifest.require(identifier)
        if identifier
        else next((d for d in library.manifest.document if url and d.url == url), None)
        or library.manifest.by_title(title)
    )
    new_id = official.id if official else _free_id(library, name, title)
    old = library.held.get(new_id)
    held = Held(
        id=new_id,
        file=f"{new_id}{incoming.suffix.lower()}",
        sha256=sha256,
        size=incoming.stat().st_size,
        taken=now(),
        origin="added",
        title=official.title if official else title,
        date=(official.date if official else None) or document.metadata.date,
        source_url=url or (official.url if official else None),
        etag=etag,
        last_modified=modified,
        previous=(old.sha256, *old.previous)[:PAST_VERSIONS] if old else (),
    )
    library.put(incoming, held)
    message = f"{len(document.pages)} pages" if len(document.pages) > 1 else "1 page"
    if old is not None:
        message += f" ; remplace la version du {old.taken[:10]}"
    if document.failures:
        message += f" ; {len(document.failures)} page(s) à vérifier : {document.failures[0].message}"
    return Outcome(new_id, held.title, "updated" if old else "added", message, None, url, held.size, sha256)


def _free_id(library: Library, name: str, title: str) -> str:
    """The file's name as an id, where it says something, else the title; numbered where it is taken."""
    base = slug(name)
    if base.isdigit() or base in ("document", "download", "file", "index", "pdf") or len(base) < 3:
        base = slug(title)
    found, number = base, 2
    while found in library.held or library.manifest.get(found) is not None:
        found, number = f"{base}-{number}", number + 1
    return found
