"""Mutants of our own PDFs, read through the sandbox: no crash of the parent, limits hold, an error code each.

`python tests/torture/pdfs.py --mutants 10000`. A mutant has a few bits flipped, bytes replaced, blocks cut, doubled or swapped
with another file's, numbers blown up, or names of the format put elsewhere.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from tally import Tally  # noqa: E402

from corpus import sandbox  # noqa: E402
from corpus.document import BLOCK_SEPARATOR  # noqa: E402
from corpus.errors import ReadError  # noqa: E402
from corpus.limits import Limits  # noqa: E402

CODES = {
    *("encrypted", "corrupt", "truncated", "no_text", "too_large", "too_many_pages", "timeout", "memory"),
    *("wrong_type", "unsupported", "vanished"),
}
LIMITS = Limits(seconds=15, seconds_per_page=0.2, page_seconds=8, memory_bytes=1024 * 2**20, pages=200)
SLACK = 45.0  # seconds beyond the limits: the child's start, its end, and up to four lost pages read again
WORDS = (
    b"/Length",
    b"/Kids",
    b"/Parent",
    b"/Filter",
    b"/Font",
    b"/Contents",
    b"/Count",
    b"obj",
    b"endobj",
    b"stream",
    b"R",
)
NUMBERS = (b"0", b"-1", b"2147483647", b"4294967296", b"99999999999999999999", b"1e308", b"0.0000001")


def mutant(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """`data` with one to six faults."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        place = chance.randrange(max(1, len(out)))
        size = chance.choice((1, 4, 16, 200, 2000))
        match chance.randrange(9):
            case 0:
                out[place : place + 1] = bytes([out[place] ^ (1 << chance.randrange(8))]) if out else b"x"
            case 1:
                out[place : place + size] = chance.randbytes(size)
            case 2:
                del out[place : place + size]
            case 3:
                out[place:place] = out[place : place + size]
            case 4:
                there = chance.randrange(len(other))
                out[place : place + size] = other[there : there + size]
            case 5:
                numbers = list(re.finditer(rb"\b\d+\b", bytes(out)))
                if numbers:
                    found = chance.choice(numbers)
                    out[found.start() : found.end()] = chance.choice(NUMBERS)
            case 6:
                word = chance.choice(WORDS)
                places = [m.start() for m in re.finditer(re.escape(word), bytes(out))]
                if places:
                    at = chance.choice(places)
                    out[at : at + len(word)] = chance.choice(WORDS)
            case 7:
                del out[place:]
            case 8:
                references = list(re.finditer(rb"\d+ 0 R", bytes(out)))
                if references:
                    found = chance.choice(references)
                    out[found.start() : found.end()] = b"%d 0 R" % chance.randrange(40)
        if not out:
            out += b"%PDF-"
    return bytes(out)


def seeds() -> list[bytes]:
    """Our fiches, and plain PDFs without compression, in which a fault reaches the page's own operators."""
    from fpdf import FPDF

    found = [path.read_bytes() for path in sorted((ROOT / "corpus" / "documents").glob("*.pdf"))]
    for pages in (1, 3):
        plain = FPDF()
        plain.set_compression(False)
        plain.set_font("helvetica", size=11)
        for number in range(pages):
            plain.add_page()
            plain.multi_cell(0, 6, f"Page {number + 1}. Une alliance réunit 12 communes et leurs associations. " * 5)
        found += [bytes(plain.output())] * 4
    return found


def run(count: int, seed: int, seconds: float) -> Tally:
    """Read `count` mutants, or as many as `seconds` allow."""
    tally, chance, originals = Tally("pdfs"), random.Random(seed), seeds()
    until = time.monotonic() + seconds
    descriptors = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    with tempfile.TemporaryDirectory(prefix="boussole-mutants-") as folder:
        path = Path(folder) / "mutant.pdf"
        for number in range(count):
            if time.monotonic() > until:
                break
            data = mutant(chance.choice(originals), chance.choice(originals), chance)
            path.write_bytes(data)
            started = time.monotonic()
            try:
                document = sandbox.read_apart(path, LIMITS)
            except ReadError as error:
                if error.code not in CODES or "mutant.pdf" not in str(error):
                    tally.lost("pdf", f"mutant {number} of seed {seed}: {error.code}: {error}")
                else:
                    tally.survived("pdf", error.code)
            except Exception as error:  # noqa: BLE001 - the very thing that may not happen
                tally.lost("pdf", f"mutant {number} of seed {seed}: {error!r}")
            else:
                whole = all(
                    page.text == BLOCK_SEPARATOR.join(b.text for b in page.blocks)
                    and all(page.text[b.start : b.end] == b.text for b in page.blocks)
                    for page in document.pages
                )
                if whole:
                    tally.survived("pdf", "read, with failed pages" if document.failures else "read")
                else:
                    tally.lost("pdf", f"mutant {number} of seed {seed}: a block is not a span of its page")
            if time.monotonic() - started > LIMITS.seconds + SLACK:
                tally.lost("pdf", f"mutant {number} of seed {seed}: {time.monotonic() - started:.0f} s")
    sandbox.close()
    time.sleep(0.5)
    if descriptors and len(os.listdir("/proc/self/fd")) > descriptors + 8:
        tally.lost("descriptors", f"{descriptors} before, {len(os.listdir('/proc/self/fd'))} after")
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--seconds", type=float, default=900)
    given = parser.parse_args()
    return run(given.mutants, given.seed, given.seconds).end()


if __name__ == "__main__":
    raise SystemExit(main())
