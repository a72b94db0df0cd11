"""Files of the index gone bad: flipped bits, lost blocks, cuts, other forms of its manifest and pointer."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from bench import SAME, TOLD, WRONG, Bench, build, check
from tally import Tally

from rag.generation import MANIFEST, generation_folder, manifest_seal, published


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
