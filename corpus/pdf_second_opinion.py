"""second_opinion: one page through PDFium, where pypdf failed or gave glued or coded text."""

from __future__ import annotations

import logging
import re

from corpus.lines import Span, lines
from corpus.raw import RawPage
from corpus.text_layer import SHIFTED

logger = logging.getLogger(__name__)
MOST_RECTANGLES = 20_000


def second_opinion(data: bytes, index: int, label: str | None) -> RawPage | None:
    """The page at `index` as PDFium reads it; None where it finds no word of three letters either."""
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(data)
        try:
            page = document[index]
            text_page = page.get_textpage()
            text = text_page.get_text_bounded()
            if not re.search(r"[^\W\d_]{3}", text):
                return None
            spans = []
            for number in range(min(text_page.count_rects(), MOST_RECTANGLES)):
                left, bottom, right, top = text_page.get_rect(number)
                part = text_page.get_text_bounded(left, bottom, right, top)
                spans.append(Span(part.translate(SHIFTED), left, bottom, max(1.0, (top - bottom) * 0.9), rank=number))
            width, height = page.get_size()
            return RawPage(index + 1, label, width, height, text, lines(spans))
        finally:
            document.close()
    except (pdfium.PdfiumError, ValueError, IndexError, OSError) as error:
        logger.info("PDFium could not read the page either: %s", type(error).__name__)
        return None
