"""Hostile files: whatever a file does, the process that asks gets an error with its code, or the pages that are sound."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter

from corpus import sandbox
from corpus.errors import ReadError
from corpus.limits import Limits
from corpus.read import read, read_here
from corpus.sandbox import read_apart
from corpus.wire import from_wire, to_wire

SENTENCE = "Une alliance réunit des communes et des associations autour d'un besoin commun."


def pdf(path: Path, pages: int = 1) -> Path:
    document = FPDF()
    document.set_font("helvetica", size=12)
    for number in range(pages):
        document.add_page()
        document.multi_cell(0, 6, f"Page {number + 1}. {SENTENCE}")
    document.output(str(path))
    return path


def with_stream(path: Path, stream: bytes, flate: bool = True) -> Path:
    """A PDF of two pages: a sound one, and one whose content is `stream`."""
    good = b"BT /F1 12 Tf 72 700 Td (Une page saine du document.) Tj ET"
    filters = b"/Filter /FlateDecode " if flate else b""
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F1 7 0 R >> >> >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 6 0 R /Resources << /Font << /F1 7 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(good), good),
        b"<< %s/Length %d >>\nstream\n%s\nendstream" % (filters, len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 8\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size 8 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start
    path.write_bytes(bytes(out))
    return path


def encrypted(path: Path, password: str) -> Path:
    writer = PdfWriter(clone_from=PdfReader(pdf(path)))
    writer.encrypt(user_password=password, owner_password="autre", algorithm="AES-256")
    with path.open("wb") as file:
        writer.write(file)
    return path


def truncated(path: Path) -> Path:
    data = pdf(path).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def written(data: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return write


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a password": (lambda path: encrypted(path, "secret"), "encrypted"),
    "cut in the middle": (truncated, "truncated"),
    "empty": (written(b""), "truncated"),
    "a web page": (written(b"<!DOCTYPE html><html><body>Erreur 404</body></html>"), "wrong_type"),
    "a zip archive": (written(b"PK\x03\x04" + bytes(200)), "wrong_type"),
    "plain text": (written("Bonjour à tous, ceci est un texte.".encode()), "wrong_type"),
    "bytes": (written(bytes(range(256)) * 8), "wrong_type"),
    "more pages than allowed": (lambda path: pdf(path, 12), "too_many_pages"),
    "larger than allowed": (written(b"%PDF-1.4\n" + bytes(400_000)), "too_large"),
    "an xref that points to itself": (
        written(b"%PDF-1.4\nxref\n0 1\n0000000000 65535 f \ntrailer << /Size 1 /Prev 9 >>\nstartxref\n9\n%%EOF"),
        "corrupt",
    ),
    "gone": (lambda path: path, "vanished"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_with_its_code_and_a_french_sentence(name: str, tmp_path: Path) -> None:
    make, code = REFUSED[name]
    with pytest.raises(ReadError) as caught:
        read(make(tmp_path / "essai.pdf"), limits=Limits(pages=10, file_bytes=300_000))
    assert caught.value.code == code
    assert "essai.pdf" in str(caught.value)
    assert len(str(caught.value)) > 40, "it must say what to do"


def test_an_empty_password_opens(tmp_path: Path) -> None:
    assert "alliance" in read(encrypted(tmp_path / "ouvert.pdf", "")).pages[0].text


def test_a_bomb_costs_its_page_and_not_the_document(tmp_path: Path) -> None:
    bomb = zlib.compress(b"BT (" + b"x" * 400_000_000 + b") Tj ET", 1)
    document = read(with_stream(tmp_path / "bombe.pdf", bomb), limits=Limits(memory_bytes=700 * 2**20, page_seconds=20))
    assert "page saine" in document.pages[0].text
    assert [failure.page for failure in document.failures] == [2]


def test_a_page_that_never_ends_is_left_out_and_named(tmp_path: Path) -> None:
    endless = b"q 1 0 0 1 0 0 cm Q\n" * 3_000_000
    path = with_stream(tmp_path / "lent.pdf", zlib.compress(endless, 6))
    document = read(path, limits=Limits(page_seconds=1.5))
    assert "page saine" in document.pages[0].text
    assert [(failure.page, failure.code) for failure in document.failures] == [(2, "timeout")]


def test_a_file_whose_only_page_never_ends_is_given_up(tmp_path: Path) -> None:
    path = with_stream(tmp_path / "lent.pdf", zlib.compress(b"q 1 0 0 1 0 0 cm Q\n" * 3_000_000, 6))
    path.write_bytes(path.read_bytes().replace(b"/Kids [3 0 R 4 0 R] /Count 2", b"/Kids [4 0 R      ] /Count 1"))
    with pytest.raises(ReadError) as caught:
        read_apart(path, Limits(page_seconds=1.5))
    assert caught.value.code == "timeout"


def test_the_child_is_used_again_and_a_dead_one_is_replaced(tmp_path: Path) -> None:
    sandbox.close()
    path = pdf(tmp_path / "a.pdf")
    read(path)
    first = sandbox._idle[0]._process.pid
    read(path)
    assert sandbox._idle[0]._process.pid == first
    os.kill(first, 9)
    sandbox._idle[0]._process.wait()
    assert "alliance" in read(path).pages[0].text


def test_a_file_that_never_ends_is_given_up_from_another_thread(tmp_path: Path) -> None:
    path = with_stream(tmp_path / "lent.pdf", zlib.compress(b"q 1 0 0 1 0 0 cm Q\n" * 3_000_000, 6))
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_apart, path, Limits(page_seconds=300, seconds=300))
        while not sandbox._busy:
            time.sleep(0.01)
        sandbox.give_up()
        error = reading.exception(timeout=30)
    assert isinstance(error, ReadError)
    assert error.code == "interrupted"
    assert not sandbox._busy


def test_files_read_side_by_side_have_a_child_each(tmp_path: Path) -> None:
    sandbox.close()
    paths = [pdf(tmp_path / f"{n}.pdf", n) for n in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        pages = [len(document.pages) for document in pool.map(read, paths)]
    assert pages == [1, 2]
    assert 1 <= len(sandbox._idle) <= 2
    assert not sandbox._busy


def test_the_child_has_no_settings_and_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOUSSOLE_LLM_KEY", "secret")
    sandbox.close()
    read(pdf(tmp_path / "a.pdf"))
    environment = Path(f"/proc/{sandbox._idle[0]._process.pid}/environ")
    if not environment.exists():
        pytest.skip("this system doesn't show the environment of a process")
    assert b"BOUSSOLE" not in environment.read_bytes()


def test_the_child_gives_what_reading_here_gives(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", 3)
    assert read(path) == read_here(path)
    assert from_wire(to_wire(read_here(path))) == read_here(path)
