"""The index under torture: killed, starved, damaged, out of time. Afterwards it answers as before, or says what to type.

`python tests/torture/index.py --kills 200 --flips 12` (what `make torture` runs); the tests run a smaller share of it.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import SAME, WRONG, Bench, answers, build, check, ended, expect, forked, small_build
from damage import odd_forms, spoil
from tally import Tally

from corpus.errors import BoussoleError

NOBODY = 65534

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
