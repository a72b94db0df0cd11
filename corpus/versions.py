"""Versions: which documents are older versions of another one, so that answers come from the newest alone.

A document gives way where another one says that it replaces it (`replaces` in the manifest), or where both bear the same
name, one is later (version mark, else date), and they share much of their text: two yearly reports of one title are two
documents, the second edition of a guide is the same one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from corpus.slug import slug

SHINGLE = 5  # words: shorter runs are shared by any two texts of one field
SHARED = 0.3  # of the smaller text's runs; two yearly reports of one title share below 0.15, revised editions above 0.5
_MARKS = (
    r"\bv(?:ersion)?[\s._-]*(\d{1,3}(?:[._-]\d{1,3}){0,2})\b",  # v2, version 2.1, V-1
    r"\b(\d{1,2})(?:re|ère|e|ème|nde)[\s._-]*(?:édition|edition)\b",  # 2e édition
    r"\b(?:édition|edition|mise[\s._-]à[\s._-]jour|mise[\s._-]a[\s._-]jour|màj|maj)[\s._-]*(?:de[\s._-])?((?:19|20)\d\d)\b",
)
_MARK = re.compile("|".join(_MARKS), re.IGNORECASE)


@dataclass(frozen=True)
class Versioned:
    """What tells a document's version."""

    id: str
    title: str
    file_name: str  # without its ending
    date: str | None = None
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Superseded:
    id: str
    by: str


def find_superseded(documents: Sequence[Versioned], text: Callable[[str], str]) -> list[Superseded]:
    """The documents that a newer version replaces, each with the newest one. `text` gives a document's text by its id."""
    by_id = {document.id: document for document in documents}
    older: dict[str, str] = {}
    for document in documents:
        for replaced in document.replaces:
            if replaced in by_id and replaced != document.id:
                older[replaced] = document.id
    shingles: dict[str, set[int]] = {}

    def runs(id_: str) -> set[int]:
        if id_ not in shingles:
            shingles[id_] = _shingles(text(id_))
        return shingles[id_]

    for group in _same_names(documents):
        if len({(version(d.title), version(d.file_name), d.date) for d in group}) == 1:
            continue  # none is later: without this, 100,000 passages of one title would be compared two by two
        for document in group:
            newer = [o for o in group if o.id != document.id and _later(o, document)]
            alike = [o for o in newer if _shared(runs(o.id), runs(document.id)) >= SHARED]
            if alike and document.id not in older:
                older[document.id] = alike[-1].id
    return [Superseded(old, newest) for old in older if (newest := _newest(old, older)) is not None]


def _newest(id_: str, older: dict[str, str]) -> str | None:
    """The end of the chain of replacements; None where it goes in a circle."""
    seen = set[str]()
    while id_ in older:
        if id_ in seen:
            return None
        seen.add(id_)
        id_ = older[id_]
    return id_


def _same_names(documents: Sequence[Versioned]) -> list[list[Versioned]]:
    """Documents of the same title, or of the same file name, version marks apart."""
    groups: dict[str, dict[str, Versioned]] = {}
    for document in documents:
        for name in {base_name(document.title), base_name(document.file_name)}:
            groups.setdefault(name, {})[document.id] = document
    return [list(group.values()) for group in groups.values() if len(group) > 1]


def base_name(name: str) -> str:
    """A title or file name without its version marks, as a slug."""
    return slug(_MARK.sub(" ", name.replace("_", " ")))


def version(name: str) -> tuple[int, ...] | None:
    """The version that a title or file name bears: (2, 1) for « v2.1 », (2024,) for « édition 2024 »."""
    match = _MARK.search(name.replace("_", " "))
    if match is None:
        return None
    found = next(group for group in match.groups() if group)
    return tuple(int(part) for part in re.split(r"[._-]", found))


def _later(new: Versioned, old: Versioned) -> bool:
    mine, theirs = version(new.title) or version(new.file_name), version(old.title) or version(old.file_name)
    if mine != theirs and (mine or theirs):
        # A bare name is what comes before « v2 », unless the mark is « v1 ».
        return (mine or (1,)) > (theirs or (1,))
    if new.date and old.date:
        shortest = min(len(new.date), len(old.date))
        return new.date[:shortest] > old.date[:shortest]
    return False


def _shingles(text: str) -> set[int]:
    words = re.findall(r"\w+", text.lower())
    return {hash(tuple(words[i : i + SHINGLE])) for i in range(max(len(words) - SHINGLE + 1, 0))}


def _shared(a: set[int], b: set[int]) -> float:
    smaller = min(len(a), len(b))
    return len(a & b) / smaller if smaller else 0.0
