"""The starter corpus: its PDFs are those of its sources, and what they print can be read again."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from pathlib import Path

import pytest
from pypdf import PdfReader

from corpus import typeset
from corpus.errors import ReadError

SOURCES = sorted(typeset.DOCUMENTS.glob("*.md"))
MANIFEST = typeset.DOCUMENTS.parent / "manifest.toml"
FICHE = "---\ntitle: Essai\ndate: 2026-01-02\nsources:\n  - {title: Nous}\n---\n"


def squash(text: str) -> str:
    """Letters and digits only: line ends, hyphens and typographic spaces differ between a source and its page."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text).replace("\u00ad", "").lower())


def page_texts(pdf: Path) -> list[str]:
    return [page.extract_text() for page in PdfReader(pdf).pages]


def test_the_corpus_has_the_fiches_and_pages_that_we_promise():
    assert len(SOURCES) >= 20
    assert sum(len(PdfReader(source.with_suffix(".pdf")).pages) for source in SOURCES) >= 25


def test_no_pdf_has_lost_its_source():
    assert {pdf.stem for pdf in typeset.DOCUMENTS.glob("*.pdf")} == {source.stem for source in SOURCES}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_the_pdf_is_up_to_date_and_a_second_build_gives_the_same_bytes(source: Path, tmp_path: Path):
    first, second = tmp_path / "first.pdf", tmp_path / "second.pdf"
    typeset.build(source, first)
    typeset.build(source, second)
    assert first.read_bytes() == second.read_bytes()
    committed = source.with_suffix(".pdf")
    assert page_texts(committed) == page_texts(first), f"{committed.name}: run `python -m corpus.typeset`"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_pypdf_finds_metadata_headings_text_and_page_numbers(source: Path):
    reader = PdfReader(source.with_suffix(".pdf"))
    front, body = typeset.split_front_matter(source.read_text(encoding="utf-8"), source.name)
    assert reader.metadata is not None
    assert reader.metadata.title == front.title
    assert reader.metadata.author == "Boussole 17"
    headings = re.findall(r"^#{2,3} (.+)$", body, re.MULTILINE)
    assert headings
    texts = page_texts(source.with_suffix(".pdf"))
    whole = squash(" ".join(texts))
    for heading in [*headings, front.title, "Sources"]:
        assert squash(heading) in whole, heading
    for cell in re.findall(r"(?<=\| )[^|\n]+?(?= \|)", body):
        plain = re.sub(r"\[\^\w+\]|[*<>]", "", cell)
        assert squash(plain) in whole or "---" in cell, cell
    for number, text in enumerate(texts, 1):
        assert re.search(rf"(^|\n){number}\s*($|\n)", text), f"page number {number} not printed"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_sentences_of_the_source_are_on_the_pages(source: Path):
    _, body = typeset.split_front_matter(source.read_text(encoding="utf-8"), source.name)
    whole = squash(" ".join(page_texts(source.with_suffix(".pdf"))))
    paragraphs = [line for line in body.splitlines() if re.match(r"[A-ZÀÉ«]", line)]
    for sentence in re.split(r"(?<=[.!?]) ", " ".join(paragraphs)):
        plain = re.sub(r"\[\^\w+\]|\*", "", sentence)
        # A sentence may run over a page, where header, notes and page number come in between: half of it is then enough.
        half = len(plain) // 2
        assert any(squash(part) in whole for part in (plain, plain[:half], plain[half:])), sentence


def test_the_corpus_shows_two_columns_notes_tables_lists_and_diagrams():
    bodies = [source.read_text(encoding="utf-8") for source in SOURCES]
    for mark, least in {"columns: 2": 5, "\n[^": 10, "\n|---": 15, "\n- ": 8, "```etapes": 1, "```cercle": 1}.items():
        assert sum(mark in body for body in bodies) >= least, mark


def test_links_of_the_sources_are_kept():
    reader = PdfReader(typeset.DOCUMENTS / "odd-17-l-essentiel.pdf")
    links = [
        annotation.get_object().get("/A", {}).get("/URI") for page in reader.pages for annotation in page["/Annots"]
    ]
    assert "https://odd17.org/les-19-cibles-de-lodd-17" in links


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# Sans en-tête", "en-tête"),
        ("---\ntitle: Sans date\n---\n", "date"),
        (FICHE + "Une note[^1] perdue.", "appelée mais absente"),
        (FICHE + "```python\nprint()\n```", "fence"),
    ],
    ids=["no front matter", "no date", "a note that is called but absent", "an element without a look"],
)
def test_a_fiche_that_cannot_be_set_says_why(text: str, said: str):
    with pytest.raises(ReadError, match=said):
        typeset.markup(text, "essai.md")


def test_signs_of_typst_markup_stay_text(tmp_path: Path):
    signs = 'Un #hashtag, 3 * 4 = 12, $x$, @moi, « a_b_c », C:\\dossier et "guillemets".'
    source = tmp_path / "essai.md"
    source.write_text(FICHE + "## Titre\n\n" + signs.replace("*", "\\*").replace("_", "\\_"), encoding="utf-8")
    typeset.build(source, tmp_path / "essai.pdf")
    assert " ".join(signs.split()) in " ".join(page_texts(tmp_path / "essai.pdf")[0].split())


def test_the_command_builds_a_folder_and_reports_a_bad_fiche(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.md").write_text(FICHE + "Bonjour.", encoding="utf-8")
    assert typeset.main(["--source", str(tmp_path)]) == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    (tmp_path / "b.md").write_text("rien", encoding="utf-8")
    assert typeset.main(["--source", str(tmp_path)]) == 1
    assert "b.md" in capsys.readouterr().err


def test_the_manifest_lists_official_documents_over_https():
    documents = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["document"]
    assert len(documents) >= 25
    assert len({document["id"] for document in documents}) == len(documents)
    for document in documents:
        assert {"id", "title", "authors", "publisher", "kind", "url_status", "language", "terms"} <= document.keys()
        assert document["url_status"] in {"sure", "doubtful", "page", "none"}
        assert ("url" in document) == (document["url_status"] != "none"), document["id"]
        assert document.get("url", "https://").startswith("https://")
        assert "date" not in document or re.fullmatch(r"\d{4}(-\d{2}){0,2}", document["date"])
