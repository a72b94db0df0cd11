"""Publication step by step: what is on the disk before the pointer turns, who holds what, what is seen on opening."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from chromadb.errors import InternalError
from small_encoder import SmallEncoder, small_build

import rag.generation as reading
import rag.generation_writer as publishing
from corpus.errors import IndexDamaged, IndexMismatch, IndexUnwritable
from rag.generation import MANIFEST, Generation, generation_folder, manifest_seal, published, read_manifest, verify
from rag.generation_writer import BUILDING, clear, told_in_french

TEXT = "# Alliance {0}\n\nLa commune de {0} a signé une alliance de 12 ans avec ses associations et ses entreprises.\n"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    for name in ("Brest", "Lille"):
        (folder / f"{name.lower()}.md").write_text(TEXT.format(name), encoding="utf-8")
    return folder


@pytest.fixture
def index(sources: Path, tmp_path: Path) -> Path:
    small_build([sources], tmp_path / "index")
    return tmp_path / "index"


def changed(sources: Path, name: str) -> None:
    (sources / "lille.md").write_text(TEXT.format(name), encoding="utf-8")


def folder_of(index: Path) -> Path:
    return generation_folder(index, published(index))


# --- publishing


def test_all_is_on_the_disk_before_the_pointer_turns(
    sources: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut loses what was not synced: each file and folder is, then the generation's name, then the pointer."""
    steps: list[tuple[str, Path]] = []
    sync, replace = publishing._sync, os.replace
    monkeypatch.setattr(publishing, "_sync", lambda path: (steps.append(("sync", path)), sync(path))[1])

    def moved(old: Path, new: Path) -> None:
        steps.append(("move", new))
        replace(old, new)

    monkeypatch.setattr(publishing.os, "replace", moved)
    changed(sources, "Metz")
    small_build([sources], index)
    folder = folder_of(index)
    whole, turned = steps.index(("move", folder)), steps.index(("move", index / "CURRENT"))
    building = folder.with_name(f"{BUILDING}{folder.name}")
    # A link to a file of the generation before was synced with that one.
    made = [
        path
        for path in folder.rglob("*")
        if "chroma" not in path.parts and (path.is_dir() or path.stat().st_nlink == 1)
    ]
    written = {path.relative_to(folder) for path in made}
    assert Path("files/lille.md") in written
    synced = {path.relative_to(building) for kind, path in steps[:whole] if kind == "sync" and path != building}
    assert written <= synced
    assert ("sync", building) in steps[:whole]
    assert steps[whole + 1 : turned] == [("sync", index / "generations"), ("sync", index / ".CURRENT.new")]
    assert steps[turned + 1] == ("sync", index)


def test_each_stage_is_told_from_nothing_to_all_and_embedding_only_where_something_is_new(
    sources: Path, tmp_path: Path
) -> None:
    told: list[tuple[str, int, int]] = []

    def progress(*said: object) -> None:
        told.append(said)  # type: ignore[arg-type]

    small_build([sources], tmp_path / "index", progress=progress)
    read = [("read", 0, 2), ("read", 1, 2), ("read", 2, 2)]
    assert told == [*read, ("embed", 0, 2), ("embed", 2, 2), ("lexical", 0, 1), ("lexical", 1, 1)]
    told.clear()
    (sources / "lille.md").unlink()
    small_build([sources], tmp_path / "index", progress=progress)
    assert told == [("read", 0, 1), ("read", 1, 1), ("lexical", 0, 1), ("lexical", 1, 1)]


def test_a_failure_before_the_pointer_turns_changes_nothing(
    sources: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, replace = published(index), os.replace

    def failing(old: Path, new: Path) -> None:
        if Path(new).name == "CURRENT":
            raise KeyboardInterrupt
        replace(old, new)

    monkeypatch.setattr(publishing.os, "replace", failing)
    changed(sources, "Metz")
    with pytest.raises(KeyboardInterrupt):
        small_build([sources], index)
    monkeypatch.undo()
    assert published(index) == before
    Generation.open_published(index).close()
    assert not [path for path in (index / "generations").iterdir() if path.name.startswith(".")]


def test_the_manifest_is_sealed_as_it_will_be_read(index: Path) -> None:
    manifest = json.loads((folder_of(index) / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["seal"] == manifest_seal(manifest)
    assert manifest.pop("seal") == manifest_seal(manifest)
    kept = [name for name in manifest["files"] if name.startswith("files/")]
    assert len(kept) == 2
    assert set(manifest["files"][kept[0]]) == {"size", "sha256"}  # from the reading: not read again
    assert "crc32" in manifest["files"]["vectors.f32"]


def test_a_kept_document_is_linked_and_copied_where_links_fail(
    sources: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(sources, "Metz")
    small_build([sources], index)
    kept = next((folder_of(index) / "files").glob("brest*"))
    assert kept.stat().st_nlink == 2

    def no_links(_old: Path, _new: Path) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(publishing.os, "link", no_links)
    changed(sources, "Nice")
    small_build([sources], index)
    assert next((folder_of(index) / "files").glob("brest*")).stat().st_nlink == 1


def test_a_disk_that_is_full_of_links_is_told_full(sources: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_old: Path, _new: Path) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(publishing.os, "link", full)
    changed(sources, "Metz")
    with pytest.raises(BaseException, match="Disque plein"):
        small_build([sources], index)


@pytest.mark.parametrize(("room", "told"), [(2**21 - 1, "Disque plein"), (2**21, "Impossible d'écrire")])
def test_where_chroma_cannot_write_the_room_that_is_left_says_why(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, told: str
) -> None:
    def fails(*_: object) -> None:
        raise InternalError("could not write")

    monkeypatch.setattr(publishing, "write_chroma", fails)
    monkeypatch.setattr(publishing.shutil, "disk_usage", lambda _: SimpleNamespace(free=room))
    with pytest.raises(IndexUnwritable, match=told):
        small_build([sources], tmp_path / "index")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        *((OSError(code, "…"), "disk_full") for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)),
        *((OSError(code, "…"), "read_only") for code in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)),
        *((OSError(code, "…"), "read_only") for code in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR)),
        (OSError("800 requested and 12 written"), "disk_full"),
        (RuntimeError("No space left on device"), "disk_full"),
        (RuntimeError("Read-only file system"), "read_only"),
        (sqlite3.OperationalError("database or disk is full"), "disk_full"),
        (sqlite3.OperationalError("disk I/O error"), "disk_full"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "read_only"),
        (sqlite3.OperationalError("unable to open database file"), "read_only"),
    ],
    ids=repr,
)
def test_a_disk_that_cannot_be_written_is_told_with_what_to_do(tmp_path: Path, error: Exception, code: str) -> None:
    with pytest.raises(IndexUnwritable, match="L'index publié") as caught, told_in_french(tmp_path):
        raise error
    assert caught.value.code == code
    assert str(caught.value).startswith("Disque plein" if code == "disk_full" else "Impossible d'écrire")


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOENT, "…"), ValueError("disk"), sqlite3.OperationalError("no such table: chunks")],
    ids=repr,
)
def test_any_other_error_is_left_as_it_is(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)) as caught, told_in_french(tmp_path):
        raise error
    assert caught.value is error


# --- clearing


def generations(sources: Path, index: Path, *names: str) -> list[str]:
    made = [published(index)]
    for name in names:
        changed(sources, name)
        small_build([sources], index)
        made.append(published(index))
    return made


def left(index: Path) -> set[str]:
    return {path.name for path in (index / "generations").iterdir()}


def test_two_generations_are_kept_and_unfinished_ones_go(sources: Path, index: Path) -> None:
    made = generations(sources, index, "Metz", "Nice", "Pau")
    (index / "generations" / f"{BUILDING}x").mkdir()
    (index / "generations" / f"{BUILDING}x" / "in_use").touch()
    assert clear(index) == ["x"]
    assert left(index) == set(made[-2:])


def test_the_published_one_is_spared_even_when_it_is_the_oldest(sources: Path, index: Path) -> None:
    made = generations(sources, index, "Metz")
    (index / "CURRENT").write_text(made[0], encoding="utf-8")
    assert clear(index, keep=0) == [made[1]]
    assert left(index) == {made[0]}


def test_one_that_is_read_is_spared_and_a_late_reader_sees_that_one_is_gone(sources: Path, index: Path) -> None:
    made = generations(sources, index, "Metz")
    held = Generation(generation_folder(index, made[0]))
    assert clear(index, keep=0) == []
    held.close()
    assert publishing._nobody_reads(generation_folder(index, made[0]))
    with pytest.raises(FileNotFoundError):
        Generation(generation_folder(index, made[0]))


def test_a_generation_that_fails_to_open_is_not_held(sources: Path, index: Path) -> None:
    made = generations(sources, index, "Metz")
    folder = generation_folder(index, made[0])
    path = folder / "vectors.f32"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IndexDamaged) as told:
        Generation(folder)
    assert clear(index, keep=0) == [made[0]]  # while the error's traceback still knows the generation
    assert told.value


def test_a_clearing_that_is_cut_short_leaves_no_half_of_a_generation(
    sources: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = generations(sources, index, "Metz")

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publishing.shutil, "rmtree", cut)
    with pytest.raises(KeyboardInterrupt):
        clear(index, keep=0)
    monkeypatch.undo()
    assert made[0] not in left(index)
    assert clear(index, keep=0) == [made[0]]
    assert left(index) == {made[1]}


# --- opening


def test_an_opening_that_meets_a_publication_takes_the_new_one(
    sources: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = generations(sources, index, "Metz")
    gone = iter(["gone"])
    monkeypatch.setattr(reading, "published", lambda _index: next(gone, made[1]))
    opened = Generation.open_published(index)
    assert opened.name == made[1]
    opened.close()


def test_a_pointer_that_never_stays_is_given_up(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(f"gone{n}" for n in range(99))
    monkeypatch.setattr(reading, "published", lambda _index: next(names))
    with pytest.raises(IndexDamaged, match="il manque"):
        Generation.open_published(index)


def spoilt(change: Callable[[bytes], bytes], path: Path) -> None:
    path.write_bytes(change(path.read_bytes()))


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("change", [flipped, lambda d: d[:-1], lambda d: d + b"\0"])
def test_a_spoilt_file_is_refused_on_opening(
    index: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], bytes], large: bool
) -> None:
    if large:
        monkeypatch.setattr(reading, "CHECKED_ON_OPENING", 0)
    spoilt(change, folder_of(index) / "vectors.f32")
    with pytest.raises(IndexDamaged, match=r"vectors\.f32.*boussole index --rebuild"):
        Generation.open_published(index)
    assert verify(folder_of(index)) == ["vectors.f32"]


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d + b"\0"])
def test_a_kept_document_of_another_size_is_refused_on_opening(index: Path, change: Callable[[bytes], bytes]) -> None:
    spoilt(change, next((folder_of(index) / "files").glob("brest*")))
    with pytest.raises(IndexDamaged, match=r"files/brest.*boussole index --rebuild"):
        Generation.open_published(index)


def test_what_a_generation_gives_back_is_what_was_put_in(sources: Path, index: Path) -> None:
    opened = Generation.open_published(index)
    encoder = SmallEncoder()
    for row in range(len(opened)):
        item = opened.chunk(row)
        whole = encoder.query(item.text)
        spans, vectors = opened.word_vectors(row)
        assert len(spans) == len(vectors) > 0
        assert all(tuple(span) in set(map(tuple, whole.spans)) for span in spans)
        assert len(opened.sentence_vectors(row)) == len(opened.sentences(row)) > 0
        kept = opened.file(item.document_id)
        assert kept is not None
        assert kept.read_bytes() == (sources / f"{item.document_id}.md").read_bytes()
        kept.unlink()
        assert opened.file(item.document_id) is None
    assert opened.file("nowhere") is None
    assert opened.lexical.size == len(opened) == 2
    opened.close()


def test_a_kept_document_is_verified_when_asked(index: Path) -> None:
    kept = next((folder_of(index) / "files").glob("brest*"))
    spoilt(flipped, kept)
    Generation.open_published(index).close()
    assert verify(folder_of(index)) == [f"files/{kept.name}"]


def rewritten(index: Path, **change: object) -> Path:
    path = folder_of(index) / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8")) | change
    path.write_text(json.dumps({k: v for k, v in manifest.items() if v is not None}), encoding="utf-8")
    return path.parent


def test_a_manifest_without_its_seal_or_with_another_is_refused(index: Path) -> None:
    for change in ({"seal": None}, {"seal": "0" * 64}, {"model": "autre"}):
        with pytest.raises(IndexDamaged):
            read_manifest(rewritten(index, **change))


def test_a_format_to_come_is_told_once_its_seal_holds(index: Path) -> None:
    manifest = read_manifest(folder_of(index)) | {"schema": 3}
    folder = rewritten(index, schema=3, seal=manifest_seal(manifest))
    with pytest.raises(IndexMismatch, match="format 3"):
        read_manifest(folder)


def test_a_format_of_before_the_seal_is_read(index: Path) -> None:
    assert read_manifest(rewritten(index, schema=1, seal=None))["schema"] == 1


@pytest.mark.parametrize("pointer", ["", "..", "../x", ".cache", "a/b", "a b", "a\nb", "x" * 101, "é"])
def test_a_pointer_that_leads_elsewhere_is_refused(index: Path, pointer: str) -> None:
    (index / "CURRENT").write_text(pointer, encoding="utf-8")
    with pytest.raises(IndexDamaged, match="ne désigne pas de génération"):
        published(index)
