"""Footnotes: lines that start with a call (or what OCR made of it) and are small, wide, a link or a reference."""

from __future__ import annotations

import re
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
    if is_link(line.text):
        return ""
    match = MARKER.match(line.text) or NUMBERED.match(line.text)
    if match is None or not match["call"].strip():
        return None
    call, rest = match["call"].strip(), match["rest"]
    digits = "".join(filter(str.isdigit, call))
    if line.line.raised and digits and line.line.y < foot:
        return digits
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
    if re.match(r"[•▪‣]\s*\S", text):
        return False
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


def is_link(text: str) -> bool:
    """Whether a line is an address and nothing else."""
    return bool(re.match(r"^(?:https?://|www\.)\S+$", text))


def _opens(rest: str) -> bool:
    return bool(re.match(r"[\W\d]{0,3}\s*[A-ZÀ-Ý«\[]", rest))


# Costs of a numbering, for the cheapest to be found: a misread figure costs less than a note that the text lost.
MISSING, MOST_MISSING = 0.6, 3  # per number that no note has, and how many in a row
RESTART = 0.8  # from 1 on a new page
JUMP = 2.5  # to where a legible call says
LOST_FIGURE, ILLEGIBLE, CONTRADICTED = 0.2, 0.3, 1.0  # « 14 » left as « 4 », as a sign, as another number


def settle_calls(calls: Sequence[str | None], pages: Sequence[int]) -> list[str | None]:
    """Right the calls that OCR misread: notes are numbered in order, so the others say what a damaged one must be.

    `calls`: "" for an illegible one, None for a note without (a list of links: it takes no number). `pages`: of each note.
    Returns the numbering that costs least, over the whole document.
    """
    places = [index for index, call in enumerate(calls) if call is not None]
    costs: dict[int, float] = {0: 0.0}
    steps: list[dict[int, int]] = []
    for rank, at in enumerate(places):
        call = calls[at] or ""
        opens_page = rank == 0 or pages[at] != pages[places[rank - 1]]
        costs, step = _step(costs, call, opens_page)
        steps.append(step)
    settled: list[str | None] = list(calls)
    number = min(costs, key=lambda key: (costs[key], key))
    for at, step in zip(reversed(places), reversed(steps), strict=True):
        settled[at] = str(number)
        number = step[number]
    return settled


def _step(costs: dict[int, float], call: str, opens_page: bool) -> tuple[dict[int, float], dict[int, int]]:
    """The least cost of each number that this note may have, and the number of the note before that it comes from."""
    best: dict[int, tuple[float, int]] = {}

    def offer(number: int, cost: float, before: int) -> None:
        total = cost + _misfit(call, number)
        if number not in best or total < best[number][0]:
            best[number] = (total, before)

    cheapest = min(costs, key=lambda key: (costs[key], key))
    for before, cost in costs.items():
        if cost > costs[cheapest] + 2 * JUMP:
            continue
        for missing in range(MOST_MISSING + 1):
            offer(before + 1 + missing, cost + MISSING * missing, before)
    if opens_page:
        offer(1, costs[cheapest] + RESTART, cheapest)
    if call and int(call) > 0:
        offer(int(call), costs[cheapest] + JUMP, cheapest)
    return {key: cost for key, (cost, _) in best.items()}, {key: before for key, (_, before) in best.items()}


def _misfit(call: str, number: int) -> float:
    written = str(number)
    if call == written:
        return 0.0
    if not call:
        return ILLEGIBLE
    lost = len(call) < len(written) and (written.endswith(call) or written.startswith(call))
    return LOST_FIGURE if lost else CONTRADICTED


def numbered(notes: Sequence[tuple[int, Sequence[str]]]) -> list[tuple[str | None, tuple[str, ...]]]:
    """Each note of a document, given by its page and lines, with its settled call, and its lines with that call alone."""
    parts = [_parted(lines) for _, lines in notes]
    settled = settle_calls([call for call, _ in parts], [page for page, _ in notes])
    return [
        (call or None, (f"{call} {rest[0]}" if call else rest[0], *rest[1:]))
        for call, (_, rest) in zip(settled, parts, strict=True)
    ]


def _parted(lines: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """A note's call ("" where it is illegible, None where it has none) and its lines without it."""
    first = lines[0]
    match = MARKER.match(first) or NUMBERED.match(first)
    if is_link(first) or match is None or not match["call"].strip() or not match["rest"].strip():
        return None, tuple(lines)
    call, rest = match["call"].strip(), match["rest"]
    if call.endswith("|") and re.match(r"e\s", rest):  # « 20 | e Fonds »: the call ends where « Le » begins
        rest = f"L{rest}"
    return "".join(filter(str.isdigit, call)), (rest, *lines[1:])
