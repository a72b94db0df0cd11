"""Pages of the corpus as pictures, the quote highlighted, drawn in a child process.

PDFium isn't thread-safe and reads files that others made: one child draws, within a time and a memory limit, and is
replaced where a file makes it hang or die; the server and its other requests don't notice.
"""

from __future__ import annotations

import io
import logging
import multiprocessing
import resource
import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from api.highlight import locate, squash
from corpus.errors import BoussoleError

log = logging.getLogger(__name__)
SCALE = 2.0  # pixels a point: sharp on a phone, about 200 kB a page
MOST_PIXELS = 16_000_000  # an A3 page at SCALE is 8 million; a page may claim to be five metres wide
SECONDS = 15.0  # for one page, the child's start included
MEMORY = 3 * 2**30  # address space of the child, in bytes; PDFium and Pillow take 0.4 GB of it
KEPT = 64  # pictures, some 15 MB
HIGHLIGHT = (255, 209, 59)  # multiplied with the page: print stays black (14:1 on this yellow)

Box = tuple[float, float, float, float]  # left, top, right, bottom as shares (0 to 1) of the picture's width and height


class PictureFailed(BoussoleError):
    """The page can't be drawn: the file is damaged, or takes too long."""

    code = "picture_failed"


@dataclass(frozen=True)
class Picture:
    """A page as PNG, in pixels, with one box a line of the quote and the share of the quote that was found."""

    png: bytes
    width: int
    height: int
    boxes: tuple[Box, ...]
    coverage: float


class Painter:
    """Draws pages; threads may share it. `close` ends its child."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._kept: OrderedDict[tuple[Path, int, str], Picture] = OrderedDict()

    def paint(self, path: Path, number: int, quote: str = "") -> Picture:
        """The page `number` (from 1). Raises IndexError where the file has no such page, and PictureFailed."""
        key = (path, number, quote)
        with self._lock:  # one page at a time: the child draws one, and the same page is often asked twice
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            picture = self._kept[key] = self._painted(path, number, quote)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return picture

    def close(self) -> None:
        with self._lock:
            self._stop()

    def _painted(self, path: Path, number: int, quote: str) -> Picture:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _limit_child)
        try:
            return self._pool.submit(draw, path, number, quote).result(self._seconds)
        except (FutureTimeout, BrokenProcessPool, MemoryError) as error:
            log.warning("picture failed: document=%s page=%d reason=%s", path.name, number, type(error).__name__)
            self._stop()
            raise PictureFailed(
                f"La page {number} ne peut pas être dessinée : ouvrez le fichier du document, ou lisez le texte de la page."
            ) from None

    def _stop(self) -> None:
        if self._pool is None:
            return
        children = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for child in children:  # it may hang inside PDFium, where nothing but a signal reaches it
            child.kill()
        self._pool = None


def _limit_child() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def draw(path: Path, number: int, quote: str) -> Picture:
    """Render one page and the quote's boxes on it; runs in the child."""
    import pypdfium2
    from PIL import Image, ImageChops, ImageDraw

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise PictureFailed("Ce fichier ne peut pas être dessiné : ce n'est pas un PDF lisible.") from error
    try:
        if not 1 <= number <= len(document):
            raise IndexError(number)
        page = document[number - 1]
        width, height = page.get_size()
        bitmap = page.render(scale=min(SCALE, (MOST_PIXELS / max(1.0, width * height)) ** 0.5), draw_annots=False)
        position = bitmap.get_posconv(page)
        corners, coverage = _found(page.get_textpage(), quote) if quote.strip() else ([], 0.0)
        pixels = [
            _upright(position.to_bitmap(left, top), position.to_bitmap(right, bottom))
            for left, bottom, right, top in corners
        ]
        picture = bitmap.to_pil().convert("RGB")
    except pypdfium2.PdfiumError as error:
        raise PictureFailed(f"La page {number} ne peut pas être dessinée : son contenu est abîmé.") from error
    finally:
        document.close()
    layer = Image.new("RGB", picture.size, "white")
    pen = ImageDraw.Draw(layer)
    for left, top, right, bottom in (lines := merged(pixels)):
        pen.rounded_rectangle((left - 3, top - 3, right + 3, bottom + 3), 4, fill=HIGHLIGHT)
    out = io.BytesIO()
    ImageChops.multiply(picture, layer).save(out, "PNG", compress_level=4)
    across, down = picture.size
    boxes = tuple((left / across, top / down, right / across, bottom / down) for left, top, right, bottom in lines)
    return Picture(out.getvalue(), across, down, boxes, coverage)


def _found(text: object, quote: str) -> tuple[list[Box], float]:
    """Boxes of the quote's letters in page coordinates (left, bottom, right, top), and the share that was found."""
    characters = [text.get_text_range(index, 1) for index in range(text.count_chars())]  # type: ignore[attr-defined]
    match = locate(squash(characters), quote)
    boxes = [text.get_charbox(place) for place in match.places]  # type: ignore[attr-defined]
    return [box for box in boxes if box[2] > box[0] and box[3] > box[1]], match.coverage


def _upright(a: tuple[float, float], b: tuple[float, float]) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])


def merged(boxes: Iterable[Box]) -> list[Box]:
    """Neighbouring letters of one line, in text order, as one box (pixels)."""
    lines: list[Box] = []
    for box in boxes:
        if lines:
            left, top, right, bottom = lines[-1]
            tall = max(bottom - top, box[3] - box[1])
            same_line = top - tall / 2 <= (box[1] + box[3]) / 2 <= bottom + tall / 2
            if same_line and -tall / 2 <= box[0] - right <= 1.5 * tall:
                lines[-1] = (left, min(top, box[1]), max(right, box[2]), max(bottom, box[3]))
                continue
        lines.append(box)
    return lines
