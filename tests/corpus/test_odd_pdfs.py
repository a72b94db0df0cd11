"""PDFs made to be odd: what they hold is read, or its loss is told."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from fpdf import FPDF

from corpus.document import Document
from corpus.errors import ReadError
from corpus.limits import Limits
from corpus.pdf import READABLE
from corpus.read import read_here
from corpus.text_layer import legibility

SAID = "Une page saine du document, lue en entier."
TEXT = f"BT /F1 12 Tf 72 700 Td ({SAID}) Tj ET".encode()
HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> %s >>"
)
CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
LIMITS = Limits()


def stream(content: bytes, more: bytes = b"") -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (more, len(content), content)


def pdf(path: Path, *objects: bytes) -> Path:
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    path.write_bytes(bytes(out))
    return path


def one_page(path: Path, content: bytes, *more: bytes, font: bytes = HELVETICA, page: bytes = b"") -> Path:
    return pdf(path, CATALOG, PAGES, PAGE % page, content, font, *more)


def text_of(document: Document) -> str:
    return "\n".join(page.text for page in document.pages)


def test_what_was_typed_into_a_form_is_read(tmp_path: Path) -> None:
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (c) /TU (Commune) /V (Trappes, 34 000 habitants) /Rect [72 600 400 620] >>"
    choice = b"<< /Type /Annot /Subtype /Widget /FT /Btn /T (b) /V /Oui /Rect [72 500 90 520] >>"
    path = one_page(tmp_path / "a.pdf", stream(TEXT), field, choice, page=b"/Annots [6 0 R 7 0 R]")
    [page] = read_here(path).pages
    assert "Commune : Trappes, 34 000 habitants" in page.text
    assert "Trappes" in page.raw_text
    assert "Oui" not in page.text  # a ticked box says nothing by itself


def test_a_broken_form_field_costs_nothing(tmp_path: Path) -> None:
    path = one_page(tmp_path / "a.pdf", stream(TEXT), b"<< /Subtype /Widget /V (x) /Rect 3 >>", page=b"/Annots [6 0 R]")
    assert text_of(read_here(path)) == SAID


def test_pages_that_are_all_alike_keep_their_text(tmp_path: Path) -> None:
    kids = b" ".join(b"%d 0 R" % (5 + i) for i in range(40))
    resources = b"/MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >>"
    pages = b"<< /Type /Pages /Kids [%s] /Count 40 %s >>" % (kids, resources)
    each = [b"<< /Type /Page /Parent 2 0 R /Contents 3 0 R >>"] * 40
    document = read_here(pdf(tmp_path / "a.pdf", CATALOG, pages, stream(TEXT), HELVETICA, *each))
    assert [page.text for page in document.pages] == [SAID] * 40


def test_numbered_titles_of_slides_are_no_running_heads(tmp_path: Path) -> None:
    slides = FPDF(orientation="L", format=(190, 338))
    for number in range(4):
        slides.add_page()
        slides.set_font("helvetica", size=30)
        slides.cell(0, 20, f"Étape {number + 1}", new_x="LMARGIN", new_y="NEXT")
        slides.set_font("helvetica", size=16)
        for point in ("Réunir les acteurs du territoire", "Choisir une action commune"):
            slides.cell(0, 14, f"{point} ({number})", new_x="LMARGIN", new_y="NEXT")
    slides.output(str(tmp_path / "a.pdf"))
    for number, page in enumerate(read_here(tmp_path / "a.pdf").pages, 1):
        assert f"Étape {number}" in page.text


def test_a_document_without_pages_is_corrupt(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", CATALOG, b"<< /Type /Pages /Kids [] /Count 0 >>")
    with pytest.raises(ReadError, match="aucune page") as caught:
        read_here(path)
    assert caught.value.code == "corrupt"


@pytest.mark.parametrize("text", ["/g12/g7 /g45/g3/g9", "/sq/tri/sq /tri/tri /sq/sq/sq /tri/sq"])
def test_glyph_names_for_text_are_illegible(text: str) -> None:
    assert legibility(text) < READABLE


def test_addresses_and_dates_are_legible() -> None:
    assert (
        legibility("Voir https://odd17.org/outils/kit le 12/07/2021, dossier /commun/alliances et/ou la mairie.") == 1.0
    )


@pytest.mark.parametrize(
    "content",
    [
        stream(zlib.compress(TEXT[:20] + b"\0" * (300 * 2**20), 9), b"/Filter /FlateDecode"),
        stream(b"[" * 100_000),
        b"<< /A " * 5_000 + b"1" + b" >>" * 5_000,
    ],
    ids=["a stream that swells", "arrays without end", "dictionaries without end"],
)
def test_contents_that_break_the_reader_are_told(tmp_path: Path, content: bytes) -> None:
    path = one_page(tmp_path / "a.pdf", content)
    assert outcome(path) in ("corrupt", "no_text", "memory")


def outcome(path: Path) -> str:
    """The code of what is told of a file that gives no text."""
    try:
        document = read_here(path, limits=LIMITS)
    except ReadError as error:
        return error.code
    assert not text_of(document)
    return document.failures[0].code


@pytest.mark.parametrize(
    "change",
    [
        (b"[0 0 595 842]", b"[595 842 0 0]"),
        (b"[0 0 595 842]", b"[0 0 0 0]"),
        (b"12 Tf", b" 0 Tf"),
        (b"/Count 1", b"/Count 9"),
    ],
    ids=[
        "a box upside down",
        "a box without area",
        "type of no size",
        "fewer pages than said",
    ],
)
def test_odd_measures_leave_the_text(tmp_path: Path, change: tuple[bytes, bytes]) -> None:
    path = one_page(tmp_path / "a.pdf", stream(TEXT))
    path.write_bytes(path.read_bytes().replace(*change))
    assert text_of(read_here(path)) == SAID


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Microsoft Word - Note aux maires", "Note aux maires"),
        ("Microsoft Word - note.doc", "a"),
        ("Cher Benoit,", "a"),
        ("Note aux maires", "Note aux maires"),
    ],
)
def test_a_title_that_a_program_or_a_letter_left_is_not_shown(tmp_path: Path, written: str, shown: str) -> None:
    page = FPDF()
    page.add_page()
    page.set_font("helvetica")
    page.cell(text=SAID)
    page.set_title(written)
    page.output(str(tmp_path / "a.pdf"))
    assert read_here(tmp_path / "a.pdf").metadata.title == shown
