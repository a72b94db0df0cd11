"""Footnotes: lines that start with a call (or what OCR made of it) and are small, wide, a link or a reference."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from corpus.pieces import Measures, Placed, ended, starts_low

SMALL = 0.88  # of the page's body size
TINY = 0.75
MARKER = re.compile(
    r"""^(?P<call>[^\w\s«>»•–—\-(\[=+.,:;&|]{0,2}\d{0,3}[’'"“”°®™|!*]{0,2})(?:\s+|(?=h\S{3,6}[.:]//))(?P<rest>\S.*)"""
)
NUMBERED = re.compile(r"^\[?\(?(?P<call>\d{1,3})[\])]?\.?\s+(?P<rest>\S.*)")
URL = re.compile(r"\b(?:h[a-z]{3,5}\s?[.:]\s?//|www\.)\w|\b[\w-]{3,}\.(?:org|fr|com|eu|net)\b", re.IGNORECASE)
URL_PIECE = re.compile(r"^\S*[/_\-]\S*(?:[/_\-.]\S*)+\s?\S{0,4}$|^\S+[ .]p[ad][fd]\w?$")
URL_END = re.compile(r"(?:\S*[/_]\S*|\.\s?p[ad]d?f|\.\w{2,4})$")
REFERENCE = re.compile(
    r"^(?:[\W_]{0,3}[vi]{0,2}oir\b|cf\b|ibid|op\.? ?cit|note\b|source|r[ée]f[ée]rentiel\b|dossier\b|article\b|loi\b|d[ée]cret\b|in\b|p\.)",
    re.IGNORECASE,
)


def is_small(line: Placed, usual: Measures) -> bool:
    return line.line.size <= SMALL * usual.size


def is_wide(line: Placed, usual: Measures) -> bool:
    return line.line.x1 - line.line.x0 > 1.45 * usual.width


def note_call(line: Placed, usual: Measures, foot: float, after_note: bool = False) -> str | None:
    """The call that `line` starts with if it starts a note ("" where OCR left no digit of it), else None.

    `foot`: the height below which small numbered lines are footnotes without further evidence.
    """
    if _link_only(line.text):
        return ""
    match = MARKER.match(line.text) or NUMBERED.match(line.text)
    if match is None or not match["call"].strip():
        return None
    call, rest = match["call"].strip(), match["rest"]
    digits = "".join(filter(str.isdigit, call))
    small, tiny = is_small(line, usual), line.line.size <= TINY * usual.size
    low = line.line.y < foot
    linked = bool(URL.search(rest[: 60 if after_note else 14]))
    referring = bool(REFERENCE.match(rest)) and (small or not digits or low or after_note or is_wide(line, usual))
    opens = _opens(rest) or (bool(digits) and call != digits)
    if linked or referring or (tiny and opens) or (is_wide(line, usual) and opens):
        return digits
    if small and digits and low and _opens(rest):
        return digits
    # A stray sign before a capital, where the file's own notes are all of that shape, is a call that OCR misread.
    if not digits and call[0] in "%'’*¢!°" and len(rest) > 40 and _opens(rest) and line.brk != "same":
        return ""
    return None


def goes_on(note: Sequence[Placed], line: Placed, alone: bool, usual: Measures) -> bool:
    """Whether `line` is still of the note; `alone`: a blank (or another place) follows it too."""
    text = line.text
    last = note[-1]
    url_cut = bool(re.search(r"[-/_]$", last.text)) and bool(URL.search(" ".join(part.text for part in note)))
    if URL_PIECE.match(text) and (url_cut or "/" in text or "_" in text):
        return True
    if url_cut and " " not in text:
        return True
    if " " not in text and re.search(r"-\S*\.\s?p\w{2,3}$", text):
        return True
    if line.brk == "same":
        shape = is_small(line, usual) or is_wide(line, usual) or is_small(last, usual) or is_wide(last, usual)
        return shape or not note_ended(last.text)
    if line.brk == "jump":
        return False
    if note_ended(last.text):
        return False
    if is_small(line, usual) or is_wide(line, usual):
        return True
    return starts_low(text) and alone and len(text.split()) <= 3


def note_ended(text: str) -> bool:
    if text.endswith(":") or text.count("(") > text.count(")"):
        return False
    return ended(text) or (bool(URL_END.search(text)) and not re.search(r"[-/_]$", text)) or text.endswith(")")


def _link_only(text: str) -> bool:
    return bool(re.match(r"^(?:https?://|www\.)\S+$", text))


def _opens(rest: str) -> bool:
    return bool(re.match(r"[\W\d]{0,3}\s*[A-ZÀ-Ý«\[]", rest))


def settle_calls(calls: Sequence[str | None]) -> tuple[str | None, ...]:
    """Right the calls that OCR misread: notes are numbered in order, so neighbours say what a damaged one must be.

    None stands for a note without a call (a list of links): it takes no number.
    """
    places = [index for index, call in enumerate(calls) if call is not None]
    offsets = [int(calls[at] or 0) - rank if calls[at] else None for rank, at in enumerate(places)]
    settled: list[str | None] = list(calls)
    for rank, at in enumerate(places):
        window = offsets[max(0, rank - 5) : rank + 6]
        votes = Counter(offset for offset in window if offset is not None and offset >= -rank)
        own = offsets[rank]
        best, count = votes.most_common(1)[0] if votes else (None, 0)
        if own is not None and (votes[own] >= 2 or count < 2):
            continue
        settled[at] = str(rank + best) if best is not None and count >= 2 and rank + best > 0 else (calls[at] or None)
    return tuple(settled)
