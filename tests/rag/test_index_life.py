"""The life of an index: only what changed is done again, and nothing that happens while it is written harms the old one."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from small_encoder import SmallEncoder, small_build

from corpus.chunk import ChunkSettings
from corpus.document import Document, PageFailure
from corpus.errors import IndexBusy, IndexDamaged, IndexUnwritable, UsageError
from corpus.notice import Notice
from corpus.read import read
from rag.generation import MANIFEST, Generation, generation_folder, published, verify
from rag.generation_writer import clear
from rag.index import NothingRead
from rag.writer_lock import writing

WORKER = Path(__file__).with_name("small_encoder.py")
ROOT = Path(__file__).resolve().parents[2]
SENTENCE = "La commune de {} a signé une alliance de {} ans avec ses associations et ses entreprises. "


def write(folder: Path, name: str, topic: str, sentences: int = 4) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    text = "".join(SENTENCE.format(f"{topic}{i}", i + 1) for i in range(sentences))
    path.write_text(f"# Alliance de {topic}\n\n{text}\n", encoding="utf-8")
    return path


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    for topic in ("Brest", "Lille", "Nice"):
        write(folder, f"{topic.lower()}.md", topic)
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def documents(index: Path) -> set[str]:
    generation = Generation.open_published(index)
    found = set(generation.documents)
    generation.close()
    return found


def test_nothing_changed_nothing_done(sources: Path, index: Path) -> None:
    first = small_build([sources], index)
    again = small_build([sources], index, SmallEncoder())
    assert (first.published, again.published) == (True, False)
    assert (again.generation, again.documents, again.embedded) == (first.generation, 3, 0)


def test_only_the_file_that_changed_is_embedded(sources: Path, index: Path) -> None:
    first = small_build([sources], index)
    write(sources, "nice.md", "Antibes")
    encoder = SmallEncoder()
    again = small_build([sources], index, encoder)
    assert encoder.encoded == again.embedded == first.chunks - again.reused
    assert again.reused == first.chunks * 2 // 3


def test_a_renamed_file_is_not_embedded_again_and_keeps_its_passages(sources: Path, index: Path) -> None:
    first = small_build([sources], index)
    (sources / "nice.md").rename(sources / "cote-d-azur.md")
    encoder = SmallEncoder()
    again = small_build([sources], index, encoder)
    assert (encoder.encoded, again.reused) == (0, first.chunks)
    assert documents(index) == {"brest", "lille", "cote-d-azur"}


def test_a_removed_file_leaves_and_an_identical_one_is_the_same_document(sources: Path, index: Path) -> None:
    small_build([sources], index)
    (sources / "nice.md").unlink()
    shutil.copy(sources / "lille.md", sources / "metropole.md")
    report = small_build([sources], index)
    assert documents(index) == {"brest", "lille"}
    assert len(report.duplicates) == 1


def test_another_chunking_or_model_is_built_beside_the_old_one(sources: Path, index: Path) -> None:
    first = small_build([sources], index)
    held = Generation.open_published(index)
    other = small_build([sources], index, chunking=ChunkSettings(target=20, maximum=40, minimum=5))
    assert other.chunks > first.chunks
    third = small_build([sources], index, model="another")
    assert third.embedded == third.chunks
    assert held.name == first.generation
    assert len([held.chunk(row) for row in range(len(held))]) == first.chunks  # still whole, though twice replaced
    held.close()


def test_old_generations_are_cleared_but_never_one_that_is_read(sources: Path, index: Path) -> None:
    small_build([sources], index)
    held = Generation.open_published(index)
    for topic in ("Metz", "Pau", "Sète", "Tours"):
        write(sources, "nice.md", topic)
        small_build([sources], index)
    names = {path.name for path in (index / "generations").iterdir()}
    assert len(names) == 3
    assert {held.name, published(index)} <= names
    held.close()
    clear(index)
    assert held.name not in {path.name for path in (index / "generations").iterdir()}


def test_what_the_manifest_says_is_in_the_index_and_a_new_title_is_embedded(sources: Path, index: Path) -> None:
    small_build([sources], index)
    said = {
        "nice.md": Notice(title="Nice, ville alliée", date="2023-10", publisher="Métropole", source_url="https://x.fr/")
    }
    report = small_build([sources], index, metadata=lambda path: said.get(path.name))
    generation = Generation.open_published(index)
    info = generation.documents["nice"]
    generation.close()
    assert (info.title, info.date, info.publisher) == ("Nice, ville alliée", "2023-10", "Métropole")
    assert info.source_url == "https://x.fr/"
    assert 0 < report.embedded < report.chunks
    back = small_build([sources], index)  # the notice is gone: the file's own title is read again
    generation = Generation.open_published(index)
    assert generation.documents["nice"].title == "Alliance de Nice"
    generation.close()
    assert back.published


def test_a_newer_version_replaces_the_old_one_and_says_so(sources: Path, index: Path) -> None:
    write(sources, "guide-v1.md", "Guide", 12)
    newer = write(sources, "guide-v2.md", "Guide", 13)
    other = write(sources, "agen.md", "Agen")
    assert sha256(other.read_bytes()).digest() < sha256(newer.read_bytes()).digest(), "not taken for the newer one"
    report = small_build([sources], index)
    assert documents(index) == {"agen", "brest", "lille", "nice", "guide-v2"}
    (replaced,) = report.superseded
    assert (Path(replaced.path).name, replaced.by) == ("guide-v1.md", "guide-v2")
    write(sources, "brest.md", "Brest même")
    assert [r.by for r in small_build([sources], index).superseded] == ["guide-v2"]
    newer.unlink()  # the newer one is withdrawn: the older answers again
    small_build([sources], index)
    assert "guide-v1" in documents(index)


def test_files_of_one_title_that_share_no_text_are_two_documents(sources: Path, index: Path) -> None:
    (sources / "lille.md").write_text("Cette année, les élèves ont planté des haies autour du stade.", encoding="utf-8")
    said = Notice(title="Rapport annuel")
    dated = {"brest.md": "2021", "lille.md": "2022"}

    def notice(path: Path) -> Notice | None:
        return Notice(title=said.title, date=dated[path.name]) if path.name in dated else None

    assert small_build([sources], index, metadata=notice).superseded == ()


def test_failed_files_are_told_each_time_and_the_others_are_indexed(sources: Path, index: Path) -> None:
    (sources / "faux.pdf").write_bytes(b"rien d'un PDF")
    os.symlink(sources / "absent.pdf", sources / "lien.pdf")
    os.mkfifo(sources / "tuyau.pdf")  # reading it would wait for ever
    for report in (small_build([sources], index), small_build([sources], index)):
        assert {Path(f.path).name for f in report.failures} >= {"faux.pdf", "tuyau.pdf"}
        assert len(report.failures) == 3
        assert report.documents == 3


def test_failed_files_are_read_again_when_asked_and_when_ocr_comes(
    sources: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sources / "faux.pdf").write_bytes(b"rien d'un PDF")
    monkeypatch.setattr("corpus.ocr.available", lambda: False)
    first = small_build([sources], index)
    assert not small_build([sources], index).published
    again = small_build([sources], index, retry_failed=True)
    assert again.published
    assert (again.embedded, again.reused) == (0, first.chunks)
    assert [f.code for f in again.failures] == ["wrong_type"]
    monkeypatch.setattr("corpus.ocr.available", lambda: True)
    assert small_build([sources], index).published
    assert not small_build([sources], index).published


def test_only_files_with_failed_pages_are_read_again_and_scans_once_ocr_comes(
    sources: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, seen = {"lille.md": "no_text", "nice.md": "timeout"}, list[str]()

    def reading(path: Path, **options: str) -> Document:
        seen.append(path.name)
        code = failed.get(path.name)
        failures = (PageFailure(2, code, f"perdue ({code})"),) if code else ()
        return replace(read(path, **options), failures=failures)

    def read_by(**options: bool) -> set[str]:
        seen.clear()
        report = small_build([sources], index, **options)
        assert {(Path(f.path).name, f.code) for f in report.page_failures} == set(failed.items())
        return set(seen)

    monkeypatch.setattr("corpus.read.read", reading)
    monkeypatch.setattr("corpus.ocr.available", lambda: False)
    assert read_by() == {"brest.md", "lille.md", "nice.md"}
    assert read_by(retry_failed=True) == {"lille.md", "nice.md"}
    write(sources, "brest.md", "Brest même")
    assert read_by() == {"brest.md"}
    monkeypatch.setattr("corpus.ocr.available", lambda: True)
    assert read_by() == {"lille.md"}
    write(sources, "brest.md", "Brest encore")
    assert read_by() == {"brest.md"}, "it was there already"
    manifest = generation_folder(index, published(index)) / MANIFEST
    told = json.loads(manifest.read_text(encoding="utf-8")) | {"schema": 1}
    old = {name: value for name, value in told.items() if name not in ("ocr", "seal", "fingerprint")}
    manifest.write_text(json.dumps(old), encoding="utf-8")
    assert read_by() == {"lille.md"}, "an index of before OCR"


def test_the_links_of_a_page_go_with_it(sources: Path, index: Path) -> None:
    (sources / "liens.md").write_text(
        "# Liens\n\nVoir [le guide](https://odd17.org/guide) de Lens.\n", encoding="utf-8"
    )
    small_build([sources], index)
    small_build([sources], index, rebuild=True)
    write(sources, "nice.md", "Antibes")
    small_build([sources], index)  # taken from the generation before
    generation = Generation.open_published(index)
    page = generation.page("liens", 1)
    generation.close()
    assert page is not None
    assert page.links == ("https://odd17.org/guide",)
    assert "https" not in page.text


def test_where_nothing_can_be_read_the_error_lists_the_files(tmp_path: Path, index: Path) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"rien")
    with pytest.raises(NothingRead) as caught:
        small_build([bad], index)
    assert [Path(f.path).name for f in caught.value.failures] == ["bad.pdf"]
    with pytest.raises(UsageError):
        small_build([tmp_path / "absent"], index)


@pytest.mark.parametrize(
    "name", ["content.sqlite", "vectors.f32", "bm25/vocabulary.tsv", "generation.json", "words.i8"], ids=str
)
def test_a_damaged_file_is_seen_on_opening_and_the_next_run_mends_it(sources: Path, index: Path, name: str) -> None:
    small_build([sources], index)
    path = generation_folder(index, published(index)) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)  # same size
    with pytest.raises(IndexDamaged, match="boussole index --rebuild"):
        Generation.open_published(index)
    report = small_build([sources], index)
    assert report.published
    assert report.repaired
    assert documents(index) == {"brest", "lille", "nice"}
    assert verify(generation_folder(index, published(index))) == []


def test_a_damaged_pointer_is_told(sources: Path, index: Path) -> None:
    small_build([sources], index)
    (index / "CURRENT").write_bytes(b"\xff\xfe")
    with pytest.raises(IndexDamaged, match="boussole index --rebuild"):
        Generation.open_published(index)
    assert small_build([sources], index).published


def test_a_second_index_waits_then_says_who_holds_it(sources: Path, index: Path) -> None:
    small_build([sources], index)
    stages: list[tuple[str, int, int]] = []
    with writing(index, 1, lambda: None):
        with pytest.raises(IndexBusy, match=str(os.getpid())):
            small_build([sources], index, wait=0.3, progress=lambda *said: stages.append(said))
        assert stages == [("wait", 0, 1)]
        thread = threading.Thread(target=small_build, args=([sources], index))
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(20)
    assert not thread.is_alive()


def test_a_full_disk_leaves_the_old_generation_and_says_what_to_do(sources: Path, index: Path) -> None:
    small_build([sources], index)
    before = published(index)
    write(sources, "grand.md", "Grand", 500)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write then fails, as it does on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        with pytest.raises(IndexUnwritable, match="Disque plein"):
            small_build([sources], index)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert published(index) == before
    assert documents(index) == {"brest", "lille", "nice"}
    assert not [p for p in (index / "generations").iterdir() if p.name.startswith(".")]
    assert "grand" in (small_build([sources], index), documents(index))[1]


def test_an_index_that_cannot_be_a_folder_is_told(sources: Path, tmp_path: Path) -> None:
    file = tmp_path / "fichier"
    file.write_text("occupé", encoding="utf-8")
    with pytest.raises(IndexUnwritable, match="--index"):
        small_build([sources], file)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into a read-only folder")
def test_a_read_only_index_is_told_and_still_read(sources: Path, index: Path) -> None:
    small_build([sources], index)
    write(sources, "nice.md", "Menton")
    (index / "generations").chmod(0o500)
    try:
        with pytest.raises(IndexUnwritable, match="droit d'écriture"):
            small_build([sources], index)
        assert documents(index) == {"brest", "lille", "nice"}
    finally:
        (index / "generations").chmod(0o700)


def test_a_file_rewritten_with_its_old_size_and_date_is_seen(sources: Path, index: Path) -> None:
    path = sources / "nice.md"
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))
    small_build([sources], index)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Nice0", "Caen0"), encoding="utf-8")
    os.utime(path, (long_ago, long_ago))
    assert small_build([sources], index).embedded == 1


def test_lost_or_spoilt_hashes_are_only_an_economy(sources: Path, index: Path) -> None:
    small_build([sources], index)
    (index / "hashes.json").write_text("[", encoding="utf-8")
    assert not small_build([sources], index).published


@pytest.mark.slow
def test_killed_at_any_moment_the_old_generation_answers_and_the_next_run_is_clean(sources: Path, index: Path) -> None:
    """Fifteen kills, from the first write to after the publication."""
    for number in range(20):
        write(sources, f"ville-{number}.md", f"Ville{number}x", 20)
    small_build([sources], index)
    chance = random.Random(17)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{WORKER.parent}"}
    command = [sys.executable, str(WORKER), str(sources), str(index)]
    write(sources, "nice.md", "Durée", 30)
    started = time.monotonic()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    whole = time.monotonic() - started
    interrupted = 0
    for turn in range(15):
        before = published(index)
        for number in range(10):
            write(sources, f"ville-{number}.md", f"Tour{turn}n{number}x", 20)
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        process.stdout.readline()  # its imports are done
        time.sleep(chance.uniform(0, whole / 2))
        process.send_signal(signal.SIGKILL)
        interrupted += process.wait() == -signal.SIGKILL
        process.stdout.close()
        now = published(index)
        generation = Generation.open_published(index)
        assert len(generation.documents) == 23
        assert verify(generation.folder) == []
        if now != before:
            assert any("Tour" in generation.chunk(row).text for row in range(len(generation)))
        generation.close()
    assert interrupted >= 5
    last = small_build([sources], index)
    assert last.failures == ()
    folders = list((index / "generations").iterdir())
    assert not [folder for folder in folders if folder.name.startswith(".")]
    assert len(folders) <= 2
    json.loads((generation_folder(index, published(index)) / "generation.json").read_text(encoding="utf-8"))
