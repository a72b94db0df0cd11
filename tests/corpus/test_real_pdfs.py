"""The real PDFs by others: each gives what is expected of it, and none costs the run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus import ocr, sandbox
from corpus.errors import ReadError
from corpus.read import read

PDFS = Path(__file__).resolve().parents[3] / "shared" / "pdfs"
MANIFEST = PDFS / "manifest.jsonl"
CASES = [json.loads(line) for line in MANIFEST.read_text(encoding="utf-8").splitlines()] if MANIFEST.exists() else []


@pytest.fixture(scope="module")
def without_ocr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Reading children that find no OCRmyPDF: what is expected of the files is said for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path_factory.mktemp("empty")))
        sandbox.close()
        yield
    sandbox.close()


@pytest.mark.slow
@pytest.mark.skipif(not CASES, reason="les PDF réels (../shared/pdfs) ne sont pas sur cette machine")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_a_real_file_gives_what_is_expected(case: dict[str, str], without_ocr: None) -> None:
    assert any(outcome_fits(expected, PDFS / case["file"]) for expected in case["expect"].split("|"))


def outcome_fits(expected: str, path: Path) -> bool:
    try:
        document = read(path)
    except ReadError as error:
        return expected in (f"error:{error.code}", "any")
    letters = sum(map(str.isalpha, " ".join(page.text for page in document.pages)))
    if expected == "error:page":
        return bool(document.failures)
    if expected == "text:garbage":
        return bool(document.failures) or letters < 200
    if expected == "text:partial":
        return letters > 0
    return expected == "any" or (expected.startswith("text") and (letters > 0 or path.stem == "vertical"))


@pytest.mark.slow
@pytest.mark.skipif(not CASES, reason="les PDF réels (../shared/pdfs) ne sont pas sur cette machine")
def test_a_real_scan_is_read_where_ocr_is_installed_and_else_refused() -> None:
    path = PDFS / "no_text" / "skew.pdf"
    if ocr.available():
        assert sum(map(str.isalpha, read(path).pages[0].text)) > 2000
    else:
        assert outcome_fits("error:no_text", path)


@pytest.mark.skipif(not CASES, reason="les PDF réels (../shared/pdfs) ne sont pas sur cette machine")
def test_ligatures_without_unicode_are_words_again() -> None:
    text = " ".join(page.text for page in read(PDFS / "french" / "CAE_Reglement_label.pdf").pages)
    assert text.count("labellisation") >= 20
    assert "attein" in text
    assert not re.search(r"labellisa\W?on|collec\W?vit", text)
