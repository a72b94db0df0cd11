"""Office files, web pages, Markdown and text: structure kept, nothing lost, what is meant to harm refused."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from office_files import make_docx, make_odt, make_paged_docx, make_pptx, zipped

from corpus.chunk import chunk
from corpus.document import BLOCK_SEPARATOR, Document, Page
from corpus.errors import ReadError
from corpus.limits import Limits
from corpus.read import read
from corpus.structured import iso_date, table_rows, usable_title

Maker = Callable[[Path], Path]
OFFICE: dict[str, Maker] = {".docx": make_docx, ".odt": make_odt, ".pptx": make_pptx}
HTML = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>L’alliance – Mon site</title>
<meta name="author" content="Ana Roux"><meta property="article:published_time" content="2023-07-04T10:00:00Z">
<style>p { color: red }</style></head><body><nav><a href="/">Accueil</a> Menu</nav>
<header class="site">Mon site</header><main><h1>L’alliance</h1><p>Elle réunit <b>trois</b> acteurs<br>au moins.
<a href="https://odd17.org/x">Voir</a></p><div>Texte sans paragraphe. <p>Puis un paragraphe.</p> Puis une fin.</div>
<h2>Les modes</h2><ul><li>Écouter<ul><li>les habitants</li></ul></li><li>Choisir</li></ul>
<table><caption>Enquête</caption><tr><th>Mode</th><th>Taux</th></tr><tr><td rowspan="2">Mécénat</td><td>67 %</td></tr>
<tr><td>25 %</td></tr></table><dl><dt>ODD</dt><dd>Objectif de développement durable</dd></dl>
<p hidden>Caché</p><script>alert(1)</script></main><footer>Mentions légales</footer></body></html>"""
MARKDOWN = """---
title: Le guide
date: 2024-05-02
authors: [Ana Roux, Paul Lenoir]
---
# Le guide

Une phrase avec une note[^1] et un [lien](https://odd17.org/x) **fort**.

[^1]: La source est *citée*.

## Les étapes

1. Écouter
2. Choisir
   - un défi

| Mode | Taux |
|---|---|
| Mécénat | 67 % |

### Détail

> Une citation.
"""


def texts(document: Document, kind: str) -> list[str]:
    return [block.text for page in document.pages for block in page.blocks if block.kind == kind]


def sections(page: Page) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(block.section for block in page.blocks))


def written(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture(params=[*OFFICE, ".html", ".md"])
def document(request: pytest.FixtureRequest, tmp_path: Path) -> Document:
    path = tmp_path / f"essai{request.param}"
    if request.param in OFFICE:
        return read(OFFICE[request.param](path))
    return read(written(tmp_path, path.name, HTML if request.param == ".html" else MARKDOWN))


def test_blocks_are_spans_of_their_page_and_the_table_says_its_heads(document: Document) -> None:
    for page in document.pages:
        assert [page.text[b.start : b.end] for b in page.blocks] == [b.text for b in page.blocks]
        assert BLOCK_SEPARATOR.join(b.text for b in page.blocks) == page.text
    rows = [row for table in texts(document, "table") for row in table.split("\n")]
    assert any(row.startswith("Mécénat : Taux") and "67 %" in row for row in rows)


def test_every_word_is_in_a_chunk(document: Document) -> None:
    kept = " ".join(c.text for c in chunk(document, lambda text: len(text.split()))).split()
    assert sorted(kept) == sorted(" ".join(page.text for page in document.pages).split())


def test_a_word_file_keeps_insertions_and_notes_and_drops_what_was_deleted(tmp_path: Path) -> None:
    document = read(make_docx(tmp_path / "guide.docx"))
    assert document.metadata.title == "Guide de l’alliance"
    assert document.metadata.authors == ("Ana Roux", "Paul Lenoir")
    assert document.metadata.date == "2024-03-05"
    assert texts(document, "body")[0] == (
        "Une commune s’allie avec ses associations pour agir plus vite. Elle le dit à tous."
    )
    (note,) = [b for page in document.pages for b in page.blocks if b.kind == "note"]
    assert (note.text, note.call) == ("Source : enquête de 2023.", "1")
    assert texts(document, "list") == ["- Écouter les habitants\n- Choisir un défi commun"]
    assert [page.number for page in document.pages] == [1, 2]
    assert sections(document.pages[1]) == [("Comment faire",), ("Comment faire", "Les modes")]


def test_a_word_file_that_knows_its_pages_is_cited_by_them(tmp_path: Path) -> None:
    document = read(make_paged_docx(tmp_path / "compte-rendu.docx"))
    assert [page.blocks[-1].text for page in document.pages] == [
        "La première page parle du budget.",
        "La deuxième page parle du calendrier.",
    ]
    assert document.pages[1].blocks[0].section == ("Compte rendu",)


def test_an_opendocument_keeps_its_notes_out_of_the_sentence(tmp_path: Path) -> None:
    document = read(make_odt(tmp_path / "charte.odt"))
    assert (document.metadata.title, document.metadata.date) == ("Charte des alliés", "2023-10-18")
    assert texts(document, "body") == ["Chacun donne et reçoit à parts égales."]
    assert texts(document, "note") == ["Voir le préambule."]
    assert texts(document, "list") == ["- Informer chaque trimestre\n- Partager les résultats"]


def test_a_presentation_is_read_by_slide_in_reading_order(tmp_path: Path) -> None:
    document = read(make_pptx(tmp_path / "bilan.pptx"))
    assert [page.number for page in document.pages] == [1, 2]
    assert texts(document, "note") == ["Rappeler la date de l’enquête."]
    assert texts(document, "body") == ["À gauche, la part locale.", "À droite, la part régionale."]
    assert "2020 : Part en % 53,5" in texts(document, "table")[-1]


def test_a_web_page_loses_its_menus_and_keeps_its_text(tmp_path: Path) -> None:
    document = read(written(tmp_path, "page.html", HTML))
    whole = "\n".join(page.text for page in document.pages)
    for gone in ("Menu", "Mon site", "Mentions", "alert", "color", "Caché"):
        assert gone not in whole
    assert "Elle réunit trois acteurs au moins. Voir" in whole
    assert texts(document, "body")[1:4] == ["Texte sans paragraphe.", "Puis un paragraphe.", "Puis une fin."]
    assert texts(document, "list") == [
        "- Écouter\n- les habitants\n- Choisir",
        "- ODD : Objectif de développement durable",
    ]
    assert texts(document, "table") == ["Mode : Taux\nMécénat : Taux 67 %\nMécénat : Taux 25 %"]
    assert document.pages[0].links == ("https://odd17.org/x",)
    assert (document.metadata.title, document.metadata.date) == ("L’alliance", "2023-07-04")


def test_words_of_a_table_inside_a_cell_do_not_touch(tmp_path: Path) -> None:
    inner = "<table><tr><td>dix</td><td>communes</td></tr></table>"
    page = (
        f"<body><table><tr><th>Lieu</th><th>Part</th></tr><tr><td>Val</td><td>avec {inner} ici</td></tr></table></body>"
    )
    [found] = read(written(tmp_path, "a.html", page)).pages
    assert "Val : Part avec dix communes ici" in " ".join(found.text.split())


def test_markdown_has_its_front_matter_as_metadata_and_its_notes_apart(tmp_path: Path) -> None:
    document = read(written(tmp_path, "guide.md", MARKDOWN))
    assert document.metadata.title == "Le guide"
    assert (document.metadata.authors, document.metadata.date) == (("Ana Roux", "Paul Lenoir"), "2024-05-02")
    assert texts(document, "body") == ["Une phrase avec une note et un lien fort.", "Une citation."]
    assert texts(document, "note") == ["La source est citée."]
    assert texts(document, "list") == ["1. Écouter\n2. Choisir\n3. un défi"]
    assert document.pages[1].blocks[-1].section == ("Les étapes", "Détail")


def test_plain_text_is_cut_into_pages_and_its_words_are_joined(tmp_path: Path) -> None:
    paragraph = "La commune a choisi une alli-\nance avec ses voisins.\n- un\n- deux\n\n"
    long = read(written(tmp_path, "long.txt", "TITRE\n=====\n\nLes étapes :\n\n" + paragraph * 120))
    assert len(long.pages) > 1
    assert "une alliance avec" in long.pages[0].text
    assert long.pages[0].blocks[-1].section == ("TITRE",)
    fed = read(written(tmp_path, "pages.txt", "Page une, du texte.\fPage deux, du texte."))
    assert [page.text for page in fed.pages] == ["Page une, du texte.", "Page deux, du texte."]
    latin = read(written(tmp_path, "latin.txt", "L’été où l’on s’allie.".encode("cp1252")))
    assert latin.pages[0].text == "L’été où l’on s’allie."


def test_a_long_section_is_cut_so_that_it_can_be_cited(tmp_path: Path) -> None:
    document = read(written(tmp_path, "long.md", "# Un\n\n" + "Un paragraphe de taille moyenne, sans plus.\n\n" * 500))
    assert len(document.pages) > 3
    assert {page.blocks[0].section for page in document.pages} == {("Un",)}


CONTENT = b'<?xml version="1.0"?><Types/>'
BOMB = b"<a>" + b" " * (60 * 2**20) + b"</a>"
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "a zip bomb": ("a.docx", zipped({"word/document.xml": BOMB}), "too_large"),
    "an XML bomb": (
        "a.docx",
        zipped({"word/document.xml": b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'}),
        "corrupt",
    ),
    "an old Word file": ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "wrong_type"),
    "an encrypted Word file": (
        "a.docx",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
        "encrypted",
    ),
    "an encrypted ODT": (
        "a.odt",
        zipped({"content.xml": b"x", "META-INF/manifest.xml": b"<manifest:encryption-data/>"}),
        "encrypted",
    ),
    "a PDF named docx": ("a.docx", b"%PDF-1.7\n", "wrong_type"),
    "a zip of something else": ("a.pptx", zipped({"photo.xml": b"<a/>"}), "wrong_type"),
    "a spreadsheet named odt": (
        "a.odt",
        zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<a/>"}),
        "wrong_type",
    ),
    "a docx without its parts": ("a.docx", zipped({"word/document.xml": b"<a/>"}), "corrupt"),
    "a cut archive": ("a.odt", zipped({"content.xml": b"<a/>" * 99})[:60], "corrupt"),
    "a picture named txt": ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "wrong_type"),
    "an empty file": ("a.md", b" \n\n", "no_text"),
    "a page without text": ("a.html", b"<html><body><script>x()</script></body></html>", "no_text"),
    "a page nested without end": ("a.html", b"<div>" * 50_000 + b"x", "no_text|corrupt"),
    "an unknown format": ("a.xyz", b"abc", "unsupported"),
}


@pytest.mark.parametrize(("name", "data", "code"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_read_says_why_in_french(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    with pytest.raises(ReadError, match="« a") as caught:
        read(written(tmp_path, name, data))
    assert caught.value.code in code.split("|")


def read_or_code(path: Path) -> str:
    try:
        return "read" if read(path).pages else "empty"
    except ReadError as error:
        return error.code


@pytest.mark.parametrize("ending", OFFICE)
def test_a_damaged_office_file_is_refused_or_read_but_never_crashes(tmp_path: Path, ending: str) -> None:
    sound = OFFICE[ending](tmp_path / f"sain{ending}").read_bytes()
    chance = random.Random(17)
    for _ in range(15):
        data = bytearray(sound)
        for _ in range(chance.randint(1, 40)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        outcome = read_or_code(written(tmp_path, f"abime{ending}", bytes(data)))
        assert outcome in ("read", "corrupt", "wrong_type", "no_text", "too_large", "encrypted")


def test_parts_of_the_archive_damaged_one_by_one(tmp_path: Path) -> None:
    sound = make_docx(tmp_path / "sain.docx")
    with zipfile.ZipFile(sound) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name in parts:
        outcome = read_or_code(written(tmp_path, "abime.docx", zipped(parts | {name: b"<a"})))
        assert outcome in ("read", "corrupt", "wrong_type")


def test_too_many_sections_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "a.md", "".join(f"# Partie {i}\n\nTexte.\n\n" for i in range(30)))
    with pytest.raises(ReadError) as caught:
        read(path, limits=Limits(pages=20))
    assert caught.value.code == "too_many_pages"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["", "A", "B"], ["x", "1", "2"]], ["A ; B", "x : A 1 ; B 2"]),
        ([["2015", "46 %"], ["2020", "53 %"]], ["2015 : 46 %", "2020 : 53 %"]),
        ([["seul"], ["en colonne"]], ["seul", "en colonne"]),
        ([["", ""]], []),
    ],
    ids=["heads", "no heads", "one column", "empty"],
)
def test_rows_of_tables(rows: list[list[str]], expected: list[str]) -> None:
    assert table_rows(rows) == expected


@pytest.mark.parametrize("title", ["Microsoft Word - x.doc", "Présentation PowerPoint", "guide.docx", "Sans titre", ""])
def test_titles_that_software_makes_up_are_not_titles(title: str) -> None:
    assert usable_title(title) is None


def test_dates_are_as_precise_as_said() -> None:
    said = {"2023-10-18T09:00:00": "2023-10-18", "2023-10": "2023-10", "2023": "2023", "hier": None, "2023-13-01": None}
    assert {text: iso_date(text) for text in said} == said
