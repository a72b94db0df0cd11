"""recognise: a scan gets a text layer from OCRmyPDF and Tesseract, where they are installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

SECONDS_PER_PAGE = 20.0
HOW_TO_INSTALL = (
    "Pour lire les documents numérisés, installez OCRmyPDF et le français de Tesseract "
    "(Debian, Ubuntu : « apt install ocrmypdf tesseract-ocr-fra »), puis relancez l'indexation"
)


def available() -> bool:
    return all(shutil.which(command) for command in ("ocrmypdf", "tesseract"))


def recognise(data: bytes, pages: int) -> bytes | None:
    """`data` with the text of its scanned pages; None where OCRmyPDF fails on it. Pages with text are left as they are."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "source.pdf", Path(folder) / "cible.pdf"
        source.write_bytes(data)
        command = ["ocrmypdf", "--skip-text", "--language", "fra", "--output-type", "pdf", "--jobs", "1", "--quiet"]
        try:
            done = subprocess.run(
                [*command, str(source), str(target)],
                capture_output=True,
                timeout=60 + SECONDS_PER_PAGE * pages,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return target.read_bytes() if done.returncode == 0 and target.exists() else None
