"""A page of a PDF as a picture, with a quote highlighted where it stands.

The quote is repaired text and the PDF may hold what OCR left, so letters are compared folded and squashed, and the best
matching stretch of the page is taken. PDFium isn't thread-safe: one lock around it.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

import pypdfium2
from PIL import Image, ImageDraw

from rag.lexical import fold

SCALE = 2.0  # pixels a point: sharp on a phone, about 200 kB a page
HIGHLIGHT = (255, 196, 0, 90)
FEWEST_ALIKE = 5  # letters of a matching stretch that counts
_LOCK = threading.Lock()

Box = tuple[float, float, float, float]  # left, bottom, right, top in points


@lru_cache(maxsize=64)
def page_picture(path: Path, number: int, quote: str = "") -> bytes:
    """The page `number` (from 1) as PNG. Raises IndexError where the file has no such page."""
    with _LOCK:
        document = pypdfium2.PdfDocument(path)
        try:
            if not 1 <= number <= len(document):
                raise IndexError(number)
            page = document[number - 1]
            boxes = _boxes(page, quote) if quote.strip() else []
            picture = page.render(scale=SCALE).to_pil().convert("RGBA")
            height = page.get_height()
        finally:
            document.close()
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    for left, bottom, right, top in boxes:
        corners = (left - 1, height - top - 1, right + 1, height - bottom + 1)
        draw.rectangle(tuple(SCALE * c for c in corners), fill=HIGHLIGHT)
    out = io.BytesIO()
    Image.alpha_composite(picture, layer).convert("RGB").save(out, "PNG", optimize=False, compress_level=4)
    return out.getvalue()


def _boxes(page: pypdfium2.PdfPage, quote: str) -> list[Box]:
    """One box a line of the quote."""
    text = page.get_textpage()
    letters, places = [], []
    for index in range(text.count_chars()):
        for letter in fold(text.get_text_range(index, 1)):
            if letter.isalnum():
                letters.append(letter)
                places.append(index)
    chosen = matching(("".join(letters)), "".join(c for c in fold(quote) if c.isalnum()))
    boxes = [text.get_charbox(places[i]) for i in chosen]
    return merge_lines([box for box in boxes if box[2] > box[0]])


def matching(page: str, quote: str) -> list[int]:
    """Indices of the letters of `page` that carry `quote`: found as it stands, else by its longest common stretches."""
    if not quote:
        return []
    start = page.find(quote)
    if start >= 0:
        return list(range(start, start + len(quote)))
    blocks = SequenceMatcher(None, page, quote, autojunk=False).get_matching_blocks()
    return [i for block in blocks if block.size >= FEWEST_ALIKE for i in range(block.a, block.a + block.size)]


def merge_lines(boxes: Sequence[Box]) -> list[Box]:
    """Neighbouring boxes of one line, in text order, as one."""
    lines: list[Box] = []
    for box in boxes:
        if lines:
            left, bottom, right, top = lines[-1]
            middle = (box[1] + box[3]) / 2
            if bottom - 1 <= middle <= top + 1 and -2 <= box[0] - right <= 12:
                lines[-1] = (left, min(bottom, box[1]), max(right, box[2]), max(top, box[3]))
                continue
        lines.append(box)
    return lines
