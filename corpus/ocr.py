"""recognise: a scan gets a text layer from OCRmyPDF and Tesseract, where they are installed.

Both run as children of the reading child: they inherit its limit of memory, and end with its process group.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

SECONDS_PER_PAGE = 20.0  # a dense A4 page at 300 dpi takes 2 to 6 on one core
START_SECONDS = 60.0
PAGE_SECONDS = 90.0  # beyond, Tesseract gives this page up and the others go on
MEGAPIXELS = 250  # of a page's picture: an A0 sheet at 300 dpi has 140
HOW_TO_INSTALL = (
    "Pour lire les documents numérisés, installez OCRmyPDF et le français de Tesseract "
    "(Debian, Ubuntu : « apt install ocrmypdf tesseract-ocr-fra »), puis relancez l'indexation"
)
FAILED = (
    "La reconnaissance de caractères n'y a rien lu : vérifiez que les pages portent du texte, qu'elles sont nettes et à "
    "l'endroit, ou numérisez-les de nouveau à 300 points par pouce"
)


def available() -> bool:
    """Whether OCRmyPDF, Tesseract and its French are installed."""
    return all(shutil.which(command) for command in ("ocrmypdf", "tesseract")) and "fra" in _languages()


@lru_cache(maxsize=1)
def _languages() -> frozenset[str]:
    try:
        listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return frozenset((listed.stdout + listed.stderr).split())


def how_to_read() -> str:
    """What to do with a page that holds no text, in French: install OCR, or look at the page where OCR has tried."""
    return FAILED if available() else HOW_TO_INSTALL


def recognise(data: bytes, pages: int) -> bytes | None:
    """`data` with the text of its scanned pages; None where OCRmyPDF fails on it or takes more than SECONDS_PER_PAGE a
    page. Pages with text are left as they are; those that lie on their side are turned."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "source.pdf", Path(folder) / "cible.pdf"
        source.write_bytes(data)
        command = ["ocrmypdf", "--skip-text", "--language", "fra", "--output-type", "pdf", "--jobs", "1", "--quiet"]
        command += ["--optimize", "0", "--tesseract-timeout", str(PAGE_SECONDS), "--max-image-mpixels", str(MEGAPIXELS)]
        if "osd" in _languages():
            command.append("--rotate-pages")
        try:
            running = subprocess.Popen(
                [*command, str(source), str(target)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return None
        try:
            status = running.wait(timeout=START_SECONDS + SECONDS_PER_PAGE * pages)
        except subprocess.TimeoutExpired:
            _end(running)
            return None
        return target.read_bytes() if status == 0 and target.exists() else None


def _end(running: subprocess.Popen[bytes]) -> None:
    """Ask OCRmyPDF to end with its workers, then insist; what it leaves ends with the reading child's group."""
    running.send_signal(signal.SIGINT)
    try:
        running.wait(timeout=5)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
