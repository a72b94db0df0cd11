"""The operator's library: fetched and added documents, their versions, and what check says of them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from web import Web, serve_web

from corpus.check import check
from corpus.collect import add, fetch_all
from corpus.errors import ConfigurationError, ReadError, UsageError
from corpus.fetch import Fetcher, FetchLimits
from corpus.library import Library
from corpus.manifest import MANIFEST, Manifest, load_manifest

FICHES = MANIFEST.parent / "documents"
ENTRY = {
    "authors": ["Le RAMEAU"],
    "publisher": "Le RAMEAU",
    "kind": "note",
    "language": "fr",
    "terms": "Tous droits réservés",
}


@pytest.fixture
def web() -> Iterator[Web]:
    with serve_web() as served:
        served.pdf = (FICHES / "quatre-c.pdf").read_bytes()
        yield served


@pytest.fixture
def manifest(web: Web) -> Manifest:
    entries = [
        {
            "id": "note-4c",
            "title": "La note des 4 C",
            "date": "2023-05",
            "url": f"{web.url}/doc.pdf",
            "url_status": "sure",
        },
        {"id": "perdu", "title": "Perdu", "url": f"{web.url}/404", "url_status": "doubtful"},
        {"id": "page", "title": "Une page", "url": f"{web.url}/page.html", "url_status": "page"},
        {"id": "livre", "title": "Un livre", "url_status": "none"},
    ]
    return Manifest.model_validate({"schema": 1, "document": [ENTRY | entry for entry in entries]})


@pytest.fixture
def library(manifest: Manifest, tmp_path: Path) -> Library:
    return Library(tmp_path / "documents", manifest)


@pytest.fixture
def fetcher(manifest: Manifest) -> Iterator[Fetcher]:
    with Fetcher(manifest.hosts, FetchLimits(pause=0, silence=2, seconds=10), loopback=True) as made:
        yield made


def statuses(library: Library, fetcher: Fetcher) -> dict[str, str]:
    return {o.id: o.status for o in fetch_all(library, library.manifest.document, fetcher)}


def test_the_manifest_of_the_project_is_sound_and_complete() -> None:
    manifest = load_manifest()
    kinds = {document.kind for document in manifest.document}
    assert len(manifest.document) >= 25
    assert {"cahier", "guide", "référentiel", "note", "charte", "livre blanc"} <= kinds
    assert {"www.lerameau.fr", "lerameau.fr", "odd17.org", "www.anpp.fr"} <= manifest.hosts


def test_a_wrong_manifest_says_what_is_wrong(tmp_path: Path) -> None:
    source = MANIFEST.read_text(encoding="utf-8")
    for wrong, said in (
        (source.replace('kind = "cahier"', "", 1), "kind"),
        (source.replace('url_status = "sure"', 'url_status = "certain"', 1), "url_status"),
        (source + source[source.index("[[document]]") :], "deux fois"),
        (source + "[[", "illisible"),
    ):
        (tmp_path / "m.toml").write_text(wrong, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=said):
            load_manifest(tmp_path / "m.toml")
    assert tomllib.loads(source)["schema"] == 1


def test_one_that_fails_does_not_stop_the_others(library: Library, fetcher: Fetcher) -> None:
    assert statuses(library, fetcher) == {"note-4c": "fetched", "perdu": "failed", "page": "manual", "livre": "manual"}
    assert statuses(library, fetcher)["note-4c"] == "unchanged"
    (held,) = Library(library.folder, library.manifest).held.values()
    lock = json.loads((library.folder / "manifest.lock").read_text(encoding="utf-8"))["documents"]
    assert (lock[0]["sha256"], lock[0]["size"], lock[0]["file"]) == (held.sha256, held.size, "note-4c.pdf")
    assert lock[0]["taken"][:4].isdigit()


def test_what_is_fetched_is_indexed_with_what_the_manifest_says(library: Library, fetcher: Fetcher, web: Web) -> None:
    statuses(library, fetcher)
    notice = library.notice(library.folder / "note-4c.pdf")
    assert notice is not None
    assert (notice.title, notice.date, notice.kind) == ("La note des 4 C", "2023-05", "note")
    assert (notice.source_url, notice.licence) == (f"{web.url}/doc.pdf", "Tous droits réservés")


def test_a_newer_version_takes_the_place_of_the_old_one(library: Library, fetcher: Fetcher, web: Web) -> None:
    statuses(library, fetcher)
    first = library.held["note-4c"].sha256
    web.pdf, web.etag = (FICHES / "communs.pdf").read_bytes(), '"v2"'
    outcome = next(iter(fetch_all(library, [library.manifest.require("note-4c")], fetcher)))
    assert (outcome.status, library.held["note-4c"].previous) == ("updated", (first,))
    assert "remplace" in outcome.message
    assert [path.name for path in library.files()] == ["note-4c.pdf"]


def test_a_lost_file_is_fetched_again(library: Library, fetcher: Fetcher) -> None:
    statuses(library, fetcher)
    (library.folder / "note-4c.pdf").unlink()
    assert [f.kind for f in check(library)] == ["missing"]
    assert statuses(library, fetcher)["note-4c"] == "fetched"
    assert check(library) == []


def take(library: Library, given: str, fetcher: Fetcher, identifier: str | None = None) -> str:
    return add(library, given, lambda _: fetcher, identifier).id


def test_a_file_is_added_under_its_name_with_the_title_that_it_bears(library: Library, fetcher: Fetcher) -> None:
    path = FICHES / "communs.pdf"
    assert take(library, str(path), fetcher) == "communs"
    held = library.held["communs"]
    assert (held.title, held.date, held.origin) == ("Du bien commun aux « Commun(s) »", "2026-11-24", "added")
    assert path.exists()
    again = add(library, str(path), lambda _: fetcher)
    assert (again.status, again.id) == ("unchanged", "communs")


def test_an_address_is_added_and_a_page_is_kept_as_a_page(library: Library, fetcher: Fetcher, web: Web) -> None:
    assert take(library, f"{web.url}/cut.pdf", fetcher) == "cut"
    assert library.held["cut"].source_url == f"{web.url}/cut.pdf"
    assert take(library, f"{web.url}/page.html", fetcher) == "page"  # the manifest's address: the manifest's document
    assert library.held["page"].file == "page.html"


def test_a_document_of_the_manifest_is_known_by_its_title_or_named(
    library: Library, fetcher: Fetcher, tmp_path: Path
) -> None:
    (tmp_path / "telechargement.md").write_text("# Un livre\n\nSon texte.", encoding="utf-8")
    assert take(library, str(tmp_path / "telechargement.md"), fetcher) == "livre"
    (tmp_path / "autre.md").write_text("# Sans rapport\n\nUn texte.", encoding="utf-8")
    assert take(library, str(tmp_path / "autre.md"), fetcher, "perdu") == "perdu"
    with pytest.raises(UsageError, match="manifeste"):
        take(library, str(tmp_path / "autre.md"), fetcher, "inconnu")


def test_what_cannot_be_read_is_not_added_and_is_named_as_typed(
    library: Library, fetcher: Fetcher, tmp_path: Path
) -> None:
    (tmp_path / "abime.pdf").write_bytes(b"%PDF-1.4 rien")
    with pytest.raises(ReadError, match=r"abime\.pdf"):
        take(library, str(tmp_path / "abime.pdf"), fetcher)
    for wrong in ("absent.pdf", str(tmp_path), __file__):
        with pytest.raises(UsageError):
            take(library, wrong, fetcher)
    assert library.held == {}
    assert not [p for p in library.folder.glob("*") if not p.name.startswith(".lock")]


def test_a_removed_document_is_gone(library: Library, fetcher: Fetcher) -> None:
    take(library, str(FICHES / "communs.pdf"), fetcher)
    library.drop("communs")
    assert list(library.folder.glob("*.pdf")) == []
    with pytest.raises(UsageError, match="corpus list"):
        library.drop("communs")


def test_check_finds_what_needs_care_and_says_what_to_type(library: Library, fetcher: Fetcher, tmp_path: Path) -> None:
    for name, count in (("guide-v1.md", 30), ("guide-v2.md", 32)):
        steps = "\n\n".join(
            f"Étape {i} : la commune réunit le groupe numéro {i} autour du défi {i}." for i in range(count)
        )
        (tmp_path / name).write_text(f"# Le guide\n\n{steps}", encoding="utf-8")
        take(library, str(tmp_path / name), fetcher)
    for name in ("communs", "quatre-c", "chronologie"):
        take(library, str(FICHES / f"{name}.pdf"), fetcher)
    (library.folder / "quatre-c.pdf").write_bytes(b"%PDF-1.4 abime")
    (library.folder / "chronologie.pdf").unlink()
    (library.folder / "copie.pdf").write_bytes((FICHES / "communs.pdf").read_bytes())
    (library.folder / "oublie.md").write_text("# Oublié\n\nUn texte.", encoding="utf-8")
    found = {(f.kind, f.id) for f in check(library)}
    assert found == {
        ("superseded", "guide-v1"),
        ("missing", "chronologie"),
        ("changed", "quatre-c"),
        ("unreadable", "quatre-c"),
        ("duplicate", "copie"),
        ("unreferenced", "oublie"),
    }
    assert all("boussole corpus" in f.advice or "docs/" in f.advice or "Supprimez" in f.advice for f in check(library))
    assert ("duplicate", "communs") in {(f.kind, f.id) for f in check(library, [FICHES / "communs.pdf"])}


def test_a_spoilt_lock_is_told(library: Library) -> None:
    library.folder.mkdir()
    (library.folder / "manifest.lock").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="corpus add"):
        Library(library.folder, library.manifest)
