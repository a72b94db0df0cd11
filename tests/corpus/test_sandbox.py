"""Hostile files: whatever a file does, the process that asks gets an error with its code, or the pages that are sound."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import zlib
from collections.abc import Callable, Iterator
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


# --- another program in the child's place: what it says, and how it ends


@pytest.fixture
def child_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """The child becomes a few lines of shell, run for each request, which is in $line."""

    def becomes(lines: str) -> None:
        program = tmp_path / "child"
        program.write_text(f"#!/bin/sh\nwhile read -r line; do\n{lines}\ndone\n")
        program.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(program))
        sandbox.close()

    yield becomes
    sandbox.close()


def refused(path: Path, limits: Limits = Limits()) -> ReadError:  # noqa: B008 — frozen
    with pytest.raises(ReadError) as caught:
        read_apart(path, limits)
    return caught.value


def said(code: str, used_up: bool = False) -> str:
    """What the child says of a file that it refuses."""
    told = {"error": {"code": code, "message": "non"}, "used_up": used_up}
    return f"echo '{json.dumps(told)}'"


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("exit 77", "memory"),
        ("kill -KILL $$", "memory"),
        ("kill -ABRT $$", "memory"),
        ("kill -TRAP $$", "memory"),
        ("kill -ILL $$", "memory"),
        ('echo \'{"lost": "memory"}\'; sleep 9', "memory"),
        ("exit 1", "timeout"),
        ("exit 0", "corrupt"),
        ("exit 2", "corrupt"),
        ("kill -TERM $$", "corrupt"),
        ("kill -SEGV $$", "corrupt"),
        ('printf \'{"lost": "memory"}\'; exit 0', "corrupt"),  # not a whole line
        ('echo \'{"never": "heard"}\'; sleep 9', "corrupt"),
        ('echo \'{"document": {}, "used_up": false}\'; sleep 9', "corrupt"),
        ('echo \'{"document": {"metadata": 1}, "used_up": false}\'; sleep 9', "corrupt"),
    ],
)
def test_how_the_child_ends_says_why(child_is: Callable[[str], None], tmp_path: Path, ending: str, code: str) -> None:
    child_is(ending)
    error = refused(tmp_path / "essai.pdf")
    assert error.code == code
    assert "« essai.pdf »" in str(error)
    assert not sandbox._idle


def test_what_is_beyond_the_limits_is_told_with_them(child_is: Callable[[str], None], tmp_path: Path) -> None:
    child_is("exit 77")
    assert "plus de 700 Mo" in str(refused(tmp_path / "a.pdf", Limits(memory_bytes=700 * 2**20)))
    child_is("exit 1")
    assert "(90 s, plus" in str(refused(tmp_path / "a.pdf", Limits(seconds=90)))


def test_the_page_that_ends_the_child_is_skipped_by_the_next_one(
    child_is: Callable[[str], None], tmp_path: Path
) -> None:
    child_is(
        f'case $line in *\'"skip": {{"2": "memory"}}\'*) {said("seen")};; *) echo \'{{"page": 2}}\'; exit 77;; esac'
    )
    assert refused(tmp_path / "a.pdf").code == "seen"
    assert len(sandbox._idle) == 1


@pytest.mark.parametrize(
    ("lines", "children"),
    [
        ("echo '{\"page\": 2}'; exit 77", 2),  # the page was skipped, and ended the child all the same
        ('echo "{\\"page\\": $(wc -l < runs)}"; exit 77', 5),  # four pages are lost, not five
        ("echo '{\"page\": 2}'; echo '{\"layout\": true}'; exit 77", 1),  # it had gone beyond its pages
        ("echo '{\"pages\": 3}'; exit 77", 1),
        (f"{said('encrypted')}", 1),
    ],
)
def test_a_file_is_read_again_only_while_that_may_help(
    child_is: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, children: int
) -> None:
    monkeypatch.chdir(tmp_path)
    child_is(f"echo run >> runs; {lines}")
    assert refused(Path("a.pdf")).code in ("memory", "encrypted")
    assert (tmp_path / "runs").read_text().count("run") == children


def test_a_child_that_says_nothing_is_given_up(
    child_is: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child_is("sleep 9")
    monkeypatch.setattr(sandbox, "START_SECONDS", 0.1)
    assert refused(tmp_path / "a.pdf", Limits(seconds=0.1)).code == "timeout"


def test_pages_that_take_no_time_give_none(
    child_is: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child_is(f'printf \'{{"pages": 3}}\\n{{"page": 1}}\\n\'; sleep 0.4; {said("late")}')
    monkeypatch.setattr(sandbox, "START_SECONDS", 0.1)
    assert refused(tmp_path / "a.pdf", Limits(seconds=0.1, seconds_per_page=0.0)).code == "timeout"


def test_an_interrupted_reading_leaves_no_child(child_is: Callable[[str], None], tmp_path: Path) -> None:
    child_is("kill -INT $PPID; sleep 9")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is started deaf to it
    try:
        with pytest.raises(KeyboardInterrupt):
            read_apart(tmp_path / "a.pdf", Limits())
    finally:
        signal.signal(signal.SIGINT, before)
    assert not sandbox._busy
    assert not sandbox._idle


def test_a_long_answer_is_taken_whole(child_is: Callable[[str], None], tmp_path: Path) -> None:
    start, end = said("seen").removeprefix("echo '").removesuffix("'").split("non")
    child_is(f"printf '{start}'; head -c 3000000 /dev/zero | tr '\\0' a; echo '{end}'")
    assert len(str(refused(tmp_path / "a.pdf"))) == 3_000_000


def test_a_new_child_has_time_to_start(child_is: Callable[[str], None], tmp_path: Path) -> None:
    child_is(said("seen"))
    assert refused(tmp_path / "a.pdf", Limits(seconds=0.0)).code == "seen"


def test_a_page_that_takes_too_long_is_left_out(child_is: Callable[[str], None], tmp_path: Path) -> None:
    child_is(f'case $line in *\'{{"1": "timeout"}}\'*) {said("seen")};; *) echo \'{{"page": 1}}\'; sleep 9;; esac')
    assert refused(tmp_path / "a.pdf", Limits(page_seconds=0.2)).code == "seen"


def test_recognition_takes_its_time_and_its_child_is_not_kept(child_is: Callable[[str], None], tmp_path: Path) -> None:
    child_is(f'printf \'{{"page": 1}}\\n{{"more_seconds": 0.5}}\\n\'; sleep 0.3; {said("seen")}')
    assert refused(tmp_path / "a.pdf", Limits(page_seconds=0.2)).code == "seen"
    assert not sandbox._idle, "a program may have been left behind"


def test_what_comes_after_the_pages_is_not_held_to_the_time_of_one(
    child_is: Callable[[str], None], tmp_path: Path
) -> None:
    child_is(f'printf \'{{"page": 1}}\\n{{"layout": true}}\\n\'; sleep 0.3; {said("seen")}')
    assert refused(tmp_path / "a.pdf", Limits(page_seconds=0.2)).code == "seen"


def test_a_child_that_is_used_up_is_not_kept(child_is: Callable[[str], None], tmp_path: Path) -> None:
    child_is(said("encrypted", used_up=True))
    assert refused(tmp_path / "a.pdf").code == "encrypted"
    assert not sandbox._idle
    child_is(said("encrypted"))
    assert refused(tmp_path / "a.pdf").code == "encrypted"
    assert len(sandbox._idle) == 1


def test_as_many_children_are_kept_as_are_likely_to_be_asked(child_is: Callable[[str], None], tmp_path: Path) -> None:
    go = tmp_path / "go"
    child_is(f"while [ ! -e '{go}' ]; do sleep 0.01; done; {said('encrypted')}")
    with ThreadPoolExecutor(6) as pool:
        reading = [pool.submit(refused, tmp_path / "a.pdf") for _ in range(6)]
        while len(sandbox._busy) < 6:
            time.sleep(0.01)
        ended = list(sandbox._busy)
        go.touch()
        assert [future.result().code for future in reading] == ["encrypted"] * 6
    assert len(sandbox._idle) == sandbox.KEPT == 4
    assert sum(child.alive for child in ended) == 4
    sandbox.close()
    assert not any(child.alive for child in ended)


def test_a_child_that_goes_to_sleep_as_it_is_asked_is_replaced(child_is: Callable[[str], None], tmp_path: Path) -> None:
    child_is(f"{said('encrypted')}; sleep 0.1; exit 0")
    for _ in range(3):
        assert refused(tmp_path / "a.pdf").code == "encrypted"
