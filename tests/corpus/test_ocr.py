"""Scans: read by the real OCRmyPDF and Tesseract where they are installed, clearly refused where not. Both are asserted."""

from __future__ import annotations

import time
from pathlib import Path

import pypdfium2
import pytest
from fpdf import FPDF
from PIL import Image

from corpus import ocr
from corpus.chunk import chunk, locate, sentences
from corpus.document import Document
from corpus.errors import ReadError
from corpus.limits import Limits
from corpus.pdf import read_pdf
from corpus.read import read
from corpus.typeset import DOCUMENTS

INSTALLED = ocr.available()
LIMITS = Limits()


def pictures(source: Path, scale: float = 2.0) -> list[Image.Image]:
    """The pages of a PDF as a scanner gives them, at `scale` times 72 dots per inch."""
    document = pypdfium2.PdfDocument(source)
    try:
        return [page.render(scale=scale, grayscale=True).to_pil() for page in document]
    finally:
        document.close()


def scan(path: Path, images: list[Image.Image | None], turned: int = 0) -> Path:
    """A PDF of pictures without any text layer; None stands for a page with text of its own."""
    pdf = FPDF(unit="pt")
    pdf.set_font("helvetica", size=14)
    for image in images:
        pdf.add_page(format=(595, 842))
        if image is None:
            pdf.multi_cell(0, 18, "Une page qui porte son texte, entre deux pages de papier.")
        else:
            pdf.image(image.rotate(turned, expand=True), 0, 0, 595, 842)
    pdf.output(str(path))
    return path


def read_or_refused(path: Path) -> Document | None:
    """The document; None where OCR is missing, once its refusal is seen to say what to install."""
    if INSTALLED:
        return read(path)
    with pytest.raises(ReadError) as caught:
        read(path)
    assert caught.value.code == "no_text"
    assert "tesseract-ocr-fra" in str(caught.value)
    assert path.name in str(caught.value)
    return None


@pytest.mark.slow
def test_a_scan_is_read_page_by_page_and_its_sentences_are_found_on_them(tmp_path: Path) -> None:
    [fiche] = pictures(DOCUMENTS / "ratios-d-equilibre.pdf")
    document = read_or_refused(scan(tmp_path / "scan.pdf", [fiche, None]))
    if document is None:
        return
    assert document.failures == ()
    assert [page.number for page in document.pages] == [1, 2]
    first, second = document.pages
    for said in (
        "67 % servent à réaliser les projets",
        "un retour de 7 € pour 1 € investi",
        "À quoi servent les ratios ?",
    ):
        assert said in first.text
    assert "Une page qui porte son texte" in second.text
    assert first.raw_text.strip()
    pages = {page.number: page for page in document.pages}
    for passage in chunk(document, lambda text: len(text.split())):
        for sentence in sentences(passage):
            for page, start, end in locate(passage.pieces, sentence.start, sentence.end):
                assert pages[page].text[start:end] in passage.text


@pytest.mark.slow
def test_a_page_on_its_side_is_turned(tmp_path: Path) -> None:
    [fiche] = pictures(DOCUMENTS / "ratios-d-equilibre.pdf")
    document = read_or_refused(scan(tmp_path / "couche.pdf", [fiche.rotate(180)]))
    if document is not None:
        assert "67 % servent à réaliser les projets" in document.pages[0].text


@pytest.mark.slow
def test_pictures_without_a_word_are_refused_and_the_message_says_what_was_tried(tmp_path: Path) -> None:
    path = scan(tmp_path / "blanc.pdf", [Image.new("L", (595, 842), 255)])
    with pytest.raises(ReadError) as caught:
        read(path)
    assert caught.value.code == "no_text"
    assert ("n'y a rien lu" if INSTALLED else "tesseract-ocr-fra") in str(caught.value)


@pytest.mark.slow
def test_what_takes_too_long_is_given_up_and_nothing_is_left_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OCRmyPDF is asked for one page in no time: the pages with text are kept, the scanned one is named."""
    [fiche] = pictures(DOCUMENTS / "ratios-d-equilibre.pdf")
    path = scan(tmp_path / "mixte.pdf", [fiche, None])
    monkeypatch.setattr(ocr, "START_SECONDS", 0.2)
    monkeypatch.setattr(ocr, "SECONDS_PER_PAGE", 0.0)
    began = time.monotonic()
    raw = read_pdf(path.read_bytes(), path.name, LIMITS)
    assert time.monotonic() - began < 30
    assert [(failure.page, failure.code) for failure in raw.failures] == [(1, "no_text")]
    assert "Une page qui porte son texte" in raw.pages[1].raw_text


def test_without_ocr_a_scan_alone_is_refused_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # where nothing is installed
    path = scan(tmp_path / "scan.pdf", [Image.new("L", (200, 300), 128)])
    with pytest.raises(ReadError, match="tesseract-ocr-fra") as caught:
        read_pdf(path.read_bytes(), path.name, LIMITS)
    assert caught.value.code == "no_text"
    mixed = scan(tmp_path / "mixte.pdf", [Image.new("L", (200, 300), 128), None])
    found = read_pdf(mixed.read_bytes(), mixed.name, LIMITS)
    assert [(failure.page, failure.code) for failure in found.failures] == [(1, "no_text")]
    assert "tesseract-ocr-fra" in found.failures[0].message
