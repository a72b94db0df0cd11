"""The index under torture: killed, starved, damaged, out of time. Afterwards it answers as before, or says what to type.

`python tests/torture/index.py --kills 200 --flips 12` (what `make torture` runs); the tests run a smaller share of it.
Every build and every check runs in a fork of this process, which itself opens nothing: a child may be killed anywhere.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # no threads in what is forked
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "rag"), str(Path(__file__).parent)]

import chromadb  # noqa: E402, F401 - imported once, before the forks
import llama_index.vector_stores.chroma  # noqa: E402, F401
from small_encoder import SmallEncoder, small_build  # noqa: E402
from tally import Tally  # noqa: E402

from corpus.errors import BoussoleError  # noqa: E402
from rag.assistant import Assistant  # noqa: E402
from rag.embedding import Encoder  # noqa: E402
from rag.generation import MANIFEST, generation_folder, manifest_seal, published  # noqa: E402
from rag.settings import Settings  # noqa: E402

FICHES = ("agenda-2030", "glossaire", "communs", "pour-une-commune", "ratios-d-equilibre", "quatre-c")
QUESTIONS = (
    "C'est quoi l'ODD 17 ?",
    "Que sont les quatre C ?",
    "Qu'est-ce qu'un commun ?",
    "Comment une commune peut-elle faire alliance ?",
    "Quels sont les ratios d'équilibre ?",
)
TOLD, SAME, WRONG, TRACE = 0, 10, 20, 30  # exit statuses of a check
NOBODY = 65534


def answers(index: Path, chroma: bool = False) -> list[Any]:
    """What the index answers: statuses, sentences, citations word for word, passages. Raises what opening raises."""
    settings = Settings(index=index, exact_limit=0) if chroma else Settings(index=index)
    assistant = Assistant(settings, cast(Encoder, SmallEncoder()))
    try:
        told: list[Any] = []
        for question in QUESTIONS:
            answer = assistant.ask(question)
            found = assistant.search(question, 5)
            told.append([answer.status, answer.answer, [[c.document_id, c.page, c.quote] for c in answer.citations]])
            told.append([[p.document_id, p.page, p.text, p.score] for p in found.passages])
        return told
    finally:
        assistant.close()


def forked(work: Callable[[], int], wait: bool = True) -> int:
    """The exit status of `work` in a child (its process id where `wait` is False)."""
    pid = os.fork()
    if pid == 0:
        status = TRACE
        try:
            status = work()
        except BaseException:  # noqa: BLE001 - whatever it is, it is what a user would have seen
            traceback.print_exc()
        finally:
            os._exit(status)
    return ended(pid) if wait else pid


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def check(index: Path, expected: list[list[Any]], chroma: bool = False) -> int:
    """SAME where one of the `expected` answers comes, TOLD for an error that says what to type, WRONG or TRACE otherwise."""

    def work() -> int:
        try:
            found = json.loads(json.dumps(answers(index, chroma)))
        except BoussoleError as error:
            return TOLD if "boussole" in str(error) or "chmod" in str(error) else TRACE
        return SAME if found in expected else WRONG

    return forked(work)


def build(sources: Path, index: Path) -> int:
    """0 built, 1 refused with a sentence of ours, TRACE otherwise."""

    def work() -> int:
        try:
            small_build([sources], index)
        except BoussoleError:
            return 1
        return 0

    return forked(work)


def expect(index: Path, chroma: bool = False) -> list[Any]:
    """The answers, computed in a child."""
    read, write = os.pipe()

    def work() -> int:
        with os.fdopen(write, "w") as out:
            json.dump(answers(index, chroma), out)
        return 0

    pid = forked(work, wait=False)
    os.close(write)
    with os.fdopen(read) as told:
        found = json.load(told)
    ended(pid)
    return list(found)


class Bench:
    """Sources, and an index of them that answers `self.before`; `turn` changes the sources."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.sources, self.index = folder / "sources", folder / "index"
        self.chance = random.Random(seed)
        self.turns = 0
        self.sources.mkdir()
        for name in FICHES:
            shutil.copy(ROOT / "corpus" / "documents" / f"{name}.md", self.sources)
        assert build(self.sources, self.index) == 0
        answers(self.index)  # in this process, so that no child has to load dictionaries again
        self.before = expect(self.index)
        self.saved = folder / "saved"
        shutil.copytree(self.index, self.saved)

    def turn(self) -> None:
        """Change a document that the questions are about."""
        self.turns += 1
        text = f"# Les quatre C\n\nLes quatre C de l'ODD 17 sont au nombre de {self.turns + 4} au tour {self.turns}.\n"
        (self.sources / "tour.md").write_text(text * 3, encoding="utf-8")

    def restore(self) -> None:
        (self.sources / "tour.md").unlink(missing_ok=True)
        shutil.rmtree(self.index)
        shutil.copytree(self.saved, self.index)


# --- killed


def kill_at_event(sources: Path, index: Path, at: int) -> int:
    """Build in a child that is killed at its `at`-th opening, renaming, making or removing of a file; its exit status."""

    def work() -> int:
        seen = 0

        def hook(event: str, _arguments: object) -> None:
            nonlocal seen
            if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "sqlite3.connect"):
                seen += 1
                if seen == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        small_build([sources], index)
        return 0

    return forked(work)


def kill_after(sources: Path, index: Path, seconds: float) -> int:
    pid = forked(lambda: 0 if small_build([sources], index) else 1, wait=False)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return ended(pid)


def kills(bench: Bench, tally: Tally, count: int, until: float) -> None:
    """Half of them by time, half at a step of the file system; the old answers or the new ones, never others.

    Stops at `until` (of `time.monotonic()`) where that comes first.
    """
    if not count:
        return
    bench.turn()
    started = time.monotonic()
    build(bench.sources, bench.index)
    whole = time.monotonic() - started
    last, old = 400, expect(bench.index)
    for number in range(count):
        if time.monotonic() > until:
            tally.outcomes[f"kills not tried, out of time: {count - number}"] += 1
            break
        bench.turn()
        if number % 2:
            at = bench.chance.randint(1, last)
            status = kill_at_event(bench.sources, bench.index, at)
            if status == 0:
                last = max(20, min(last, at))  # the build has fewer steps than that
        else:
            status = kill_after(bench.sources, bench.index, bench.chance.uniform(0, whole))
        kind = "kill at a step" if number % 2 else "kill by time"
        if check(bench.index, [old]) == SAME:
            tally.survived(kind, "old generation whole" if status == -9 else "build ended")
            continue
        now = expect(bench.index)  # the new one then: it must speak of this turn, whole
        if f"au tour {bench.turns}" in json.dumps(now, ensure_ascii=False):
            tally.survived(kind, "new generation whole")
            old = now
        else:
            tally.lost(kind, f"turn {bench.turns}, status {status}: neither the old answers nor the new")
    bench.turn()
    if build(bench.sources, bench.index) != 0 or any(
        p.name.startswith(".") for p in (bench.index / "generations").iterdir()
    ):
        tally.lost("after the kills", "the next build fails or leaves unfinished folders")


# --- starved


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of so many kilobytes. Raises OSError where this process may not mount one."""
    folder.mkdir(exist_ok=True)
    line = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if subprocess.run(line, capture_output=True, check=False).returncode:
        raise OSError(errno.EPERM, "mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def full_disks(bench: Bench, tally: Tally, count: int, folder: Path) -> None:
    """The index on a disk that is full after a random number of kilobytes."""
    bench.restore()
    size = sum(p.stat().st_size for p in bench.index.rglob("*") if p.is_file()) // 1024
    for _ in range(count):
        bench.turn()
        room = size + size // 8 + bench.chance.randint(0, int(size * 1.2))
        try:
            with small_disk(folder / "disk", room) as disk:
                shutil.copytree(bench.saved, disk / "index")
                status = build(bench.sources, disk / "index")
                found = check(disk / "index", [bench.before])
        except OSError:
            tally.outcomes["not tried: no right to mount a disk"] += 1
            return
        if status in (0, 1) and (found == SAME or status == 0):
            tally.survived("disk full", "told" if status == 1 else "fitted")
        else:
            tally.lost("disk full", f"{room} kB: build {status}, check {found}")


def read_only(bench: Bench, tally: Tally) -> None:
    """An index that belongs to someone else: its reader answers, its writer is told."""
    bench.restore()
    for path in [bench.index, *bench.index.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    bench.turn()

    def as_nobody(work: Callable[[], int]) -> int:
        def dropped() -> int:
            answers(bench.saved)  # this Python may not be readable by nobody: what it imports late is loaded first
            if os.geteuid() == 0:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            return work()

        return forked(dropped)

    def told() -> int:
        try:
            small_build([bench.sources], bench.index)
        except BoussoleError as error:
            return 0 if "droit d'écriture" in str(error) else WRONG
        return WRONG

    def same() -> int:
        return SAME if json.loads(json.dumps(answers(bench.index))) == bench.before else WRONG

    for kind, work, wanted in (("read-only, written", told, 0), ("read-only, read", same, SAME)):
        found = as_nobody(work)
        if found == wanted:
            tally.survived(kind, "told" if wanted == 0 else "same answers")
        else:
            tally.lost(kind, f"status {found}")
    for path in [bench.index, *bench.index.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def clocks(bench: Bench, tally: Tally) -> None:
    """Builds by a clock that stands still, goes back a day, a year, to 1970: each publishes and answers."""
    bench.restore()
    import rag.index as building

    real = building.datetime
    for shift in (0.0, -1.0, -86_400.0, -365 * 86_400.0, -1_700_000_000.0):
        moment = real.fromtimestamp(1_790_000_000 + shift, building.UTC)

        class Clock(real):  # type: ignore[valid-type, misc]
            now = staticmethod(lambda _tz=None, moment=moment: moment)

        building.datetime = Clock
        for _ in range(2):
            bench.turn()
            status = build(bench.sources, bench.index)
            now = json.dumps(expect(bench.index), ensure_ascii=False)
            if status == 0 and f"au tour {bench.turns}" in now:
                tally.survived("clock", "published")
            else:
                tally.lost("clock", f"shift {shift}: build {status}, newest published: {'au tour' in now}")
    building.datetime = real


def writers_and_readers(bench: Bench, tally: Tally, turns: int) -> None:
    """Two builds at once while readers open and ask: every reader has a whole generation, both builds end well."""
    bench.restore()
    for _ in range(turns):
        bench.turn()
        builds = [forked(lambda: 0 if small_build([bench.sources], bench.index) else 1, wait=False) for _ in range(2)]
        known = [bench.before]
        while any(os.waitpid(pid, os.WNOHANG) == (0, 0) for pid in builds[:1]):
            if check(bench.index, known) != SAME:
                now = expect(bench.index)
                if f"au tour {bench.turns}" not in json.dumps(now, ensure_ascii=False):
                    tally.lost("reader during publication", f"turn {bench.turns}: neither old nor new")
                    continue
                known.append(now)
            tally.survived("reader during publication", "a whole generation")
        status = ended(builds[1])
        bench.before = expect(bench.index)
        if status == 0 and f"au tour {bench.turns}" in json.dumps(bench.before, ensure_ascii=False):
            tally.survived("two writers", "both ended, one published")
        else:
            tally.lost("two writers", f"status {status}")
    shutil.rmtree(bench.saved)
    shutil.copytree(bench.index, bench.saved)


# --- damaged


def _flip(data: bytes, place: int, bit: int) -> bytes:
    spoilt = bytearray(data)
    spoilt[place] ^= 1 << bit
    return bytes(spoilt)


def damages(data: bytes, chance: random.Random, flips: int) -> Iterator[tuple[str, bytes | None]]:
    """Ways a file goes bad, by name; None: it is gone."""
    for number in range(flips if data else 0):
        place = (0, len(data) - 1, len(data) // 2)[number] if number < 3 else chance.randrange(len(data))
        yield "flipped bit", _flip(data, place, chance.randrange(8))
    if data:
        yield (
            "zeroed block",
            data[: len(data) // 3] + bytes(min(512, len(data) - len(data) // 3)) + data[len(data) // 3 + 512 :],
        )
        yield "truncated", data[: len(data) // 2]
        yield "truncated by one", data[:-1]
        yield "emptied", b""
    yield "longer", data + b"\0"
    yield "missing", None


def spoil(bench: Bench, tally: Tally, flips: int, every: int = 1) -> None:
    """Each file of the index, each way, asked by the array and by embedded Chroma; then the next build mends it."""
    bench.restore()
    name = published(bench.index)
    folder = generation_folder(bench.index, name)
    files = sorted(p.relative_to(bench.index) for p in folder.rglob("*") if p.is_file())
    files += [Path("CURRENT"), Path("hashes.json"), Path("writer.lock")]
    number = 0
    for file in (f for f in files if (bench.index / f).exists()):
        data = (bench.saved / file).read_bytes()
        chroma = "chroma" in file.parts
        for kind, spoilt in damages(data, bench.chance, flips):
            if spoilt == data:
                continue
            number += 1
            if number % every:
                continue
            path = bench.index / file
            path.unlink()
            if spoilt is not None:
                path.write_bytes(spoilt)
            found = check(bench.index, [bench.before], chroma)
            label = (
                f"{kind} ({'chroma' if chroma else file.name.split('.')[0] if len(file.parts) == 1 else file.parts[2]})"
            )
            if found not in (SAME, TOLD):
                tally.lost(label, f"{file}: {'wrong answers' if found == WRONG else f'status {found}'}")
            else:
                tally.survived(label, "same answers" if found == SAME else "told")
            if (number % 20 == 0 and build(bench.sources, bench.index)) or (
                number % 20 == 0 and check(bench.index, [bench.before]) != SAME
            ):
                tally.lost("mended by the next build", str(file))
            if chroma or number % 20 == 0:
                bench.restore()  # Chroma writes in its own folder
            else:
                path.unlink(missing_ok=True)
                path.write_bytes(data)


def odd_forms(bench: Bench, tally: Tally) -> None:
    """Pointers and manifests of other makers: another schema, an older one, a folder where a file was…"""
    name = published(bench.saved)
    manifest = json.loads((generation_folder(bench.saved, name) / MANIFEST).read_text(encoding="utf-8"))
    older = {key: value for key, value in manifest.items() if key != "seal"} | {"schema": 1}
    newer = manifest | {"schema": 99}
    other = manifest | {"dimensions": 16}
    wrong_model = manifest | {"model": "inconnu"}
    sealed_wrong = {k: v for k, v in wrong_model.items() if k != "seal"}
    texts = {
        "older schema": (json.dumps(older), SAME),
        "newer schema": (json.dumps(newer | {"seal": manifest_seal(newer)}), TOLD),
        "other dimensions": (json.dumps(other), TOLD),
        "other model": (json.dumps(wrong_model), TOLD),
        "no seal": (json.dumps(sealed_wrong), TOLD),
        "not an object": ("[1]", TOLD),
        "deep": ("[" * 50_000, TOLD),
        "not a number": (json.dumps(manifest | {"schema": "deux"}), TOLD),
    }
    for kind, (text, wanted) in texts.items():
        bench.restore()
        (generation_folder(bench.index, name) / MANIFEST).write_text(text, encoding="utf-8")
        found = check(bench.index, [bench.before])
        if found == wanted and build(bench.sources, bench.index) == 0:
            tally.survived(f"manifest: {kind}", "same answers" if found == SAME else "told")
        else:
            tally.lost(f"manifest: {kind}", f"status {found}")
    pointers = [
        b"",
        b"\0",
        b"..",
        b"../..",
        b"/etc",
        b"x" * 5000,
        "é".encode(),
        name.encode() + b"\0",
        b"a\nb",
        name[:-1].encode(),
    ]
    for pointer in [*pointers, None]:
        bench.restore()
        if pointer is None:
            (bench.index / "CURRENT").unlink()
            (bench.index / "CURRENT").mkdir()
        else:
            (bench.index / "CURRENT").write_bytes(pointer)
        found = check(bench.index, [bench.before])
        built = build(bench.sources, bench.index)
        if found == TOLD and built in (0, 1) and (built == 1 or check(bench.index, [bench.before]) == SAME):
            tally.survived("pointer", "told")
        else:
            tally.lost("pointer", f"{pointer!r}: status {found}, build {built}")
    for file in (MANIFEST, "vectors.f32", "content.sqlite", "in_use"):
        bench.restore()
        path = generation_folder(bench.index, name) / file
        path.unlink()
        path.mkdir()
        found = check(bench.index, [bench.before])
        if found in (TOLD, SAME):
            tally.survived("a folder in place of a file", "told" if found == TOLD else "same answers")
        else:
            tally.lost("a folder in place of a file", f"{file}: status {found}")
    bench.restore()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--flips", type=int, default=10, help="flipped bits in each file")
    parser.add_argument("--every", type=int, default=1, help="of the damages to files, one in so many")
    parser.add_argument("--disks", type=int, default=20)
    parser.add_argument("--turns", type=int, default=4, help="of two writers and their readers")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--seconds", type=float, default=3600, help="after which no more kills are tried")
    given = parser.parse_args()
    until = time.monotonic() + given.seconds
    tally = Tally("index")
    with tempfile.TemporaryDirectory(prefix="boussole-torture-") as folder:
        Path(folder).chmod(0o755)
        bench = Bench(Path(folder), given.seed)
        odd_forms(bench, tally)
        read_only(bench, tally)
        spoil(bench, tally, given.flips, given.every)
        clocks(bench, tally)
        full_disks(bench, tally, given.disks, Path(folder))
        kills(bench, tally, given.kills, until)
        bench.restore()
        writers_and_readers(bench, tally, given.turns)
    return tally.end()


if __name__ == "__main__":
    raise SystemExit(main())
