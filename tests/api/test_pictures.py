"""Pages are drawn with their quote in yellow, apart from the server, whatever the file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from api.pictures import HIGHLIGHT, Painter, PictureFailed

FICHE = Path(__file__).resolve().parents[2] / "corpus" / "documents" / "agenda-2030.pdf"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def painter() -> Iterator[Painter]:
    opened = Painter()
    yield opened
    opened.close()


def yellow(png: bytes) -> int:
    return sum(count for count, colour in Image.open(io.BytesIO(png)).getcolors(1 << 24) or [] if colour == HIGHLIGHT)


def first_line() -> str:
    text = pypdfium2.PdfDocument(FICHE)[0].get_textpage().get_text_range()
    return max(text.splitlines(), key=len)


def test_the_quote_is_yellow_and_only_the_quote(painter: Painter) -> None:
    plain, marked = painter.paint(FICHE, 1), painter.paint(FICHE, 1, first_line())
    assert plain.boxes == ()
    assert yellow(plain.png) == 0
    assert marked.coverage == 1.0
    assert len(marked.boxes) == 1
    left, top, right, bottom = marked.boxes[0]
    assert 0 <= left < right <= 1
    assert 0 <= top < bottom <= 1
    area = (right - left) * marked.width * (bottom - top) * marked.height
    assert 0.3 * area < yellow(marked.png) < 1.6 * area


def test_a_turned_page_has_its_boxes_where_the_quote_is_seen(painter: Painter, tmp_path: Path) -> None:
    document = pypdfium2.PdfDocument(FICHE)
    document[0].set_rotation(90)
    document.save(tmp_path / "turned.pdf")
    upright, turned = (
        painter.paint(FICHE, 1, first_line()).boxes,
        painter.paint(tmp_path / "turned.pdf", 1, first_line()),
    )
    left, _, _, bottom = upright[0]
    assert turned.width > turned.height
    found_left = min(box[0] for box in turned.boxes)
    found_top = min(box[1] for box in turned.boxes)
    assert found_left == pytest.approx(1 - bottom, abs=0.02)
    assert found_top == pytest.approx(left, abs=0.02)


def test_no_such_page(painter: Painter) -> None:
    for number in (0, 99):
        with pytest.raises(IndexError):
            painter.paint(FICHE, number)


def test_a_file_that_is_no_pdf_is_told(painter: Painter, tmp_path: Path) -> None:
    (tmp_path / "wrong.pdf").write_bytes(b"%PDF-1.7 nothing")
    with pytest.raises(PictureFailed):
        painter.paint(tmp_path / "wrong.pdf", 1)


def test_a_page_that_claims_to_be_huge_stays_a_picture(painter: Painter, tmp_path: Path) -> None:
    document = pypdfium2.PdfDocument.new()
    document.new_page(14_400, 14_400)
    document.save(tmp_path / "huge.pdf")
    picture = painter.paint(tmp_path / "huge.pdf", 1)
    assert picture.width * picture.height <= 16_100_000


def test_after_a_page_that_takes_too_long_the_next_is_drawn(tmp_path: Path) -> None:
    painter = Painter(seconds=0.001)
    try:
        with pytest.raises(PictureFailed):
            painter.paint(FICHE, 1)
        painter._seconds = 15
        assert painter.paint(FICHE, 1).png.startswith(b"\x89PNG")
    finally:
        painter.close()
