"""StructuredDocument: what a reader gives for a format that says its own structure (headings, lists, tables, notes).

`Sheets` is how such a reader tells what it meets, in order; it keeps the section path, sets tables as rows that say their
column heads, and joins blocks into pages, so that every block is a character span of its page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from corpus.document import BLOCK_SEPARATOR, Block, BlockKind, Page, PageFailure
from corpus.errors import ReadError
from corpus.limits import Limits

SHEET = (595.0, 842.0)  # points, A4: these formats have no page size that matters
SHEET_CHARACTERS = 6000  # a section without pages of its own is cut at a block's end beyond this, to be cited precisely
LONGEST_HEADING = 200  # characters: a longer « heading » is a paragraph set in a heading's style
_NO_TITLE = re.compile(
    r"^(?:microsoft (?:word|powerpoint)\b.*|pr[ée]sentation powerpoint|powerpoint presentation|(?:document|pr[ée]sentation)\s?\d*"
    r"|sans[ -](?:titre|nom).*|untitled.*|diapositive \d+|slide \d+)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class StructuredDocument:
    """Pages whole, with their blocks; title, authors, date (ISO) and language where the file says them."""

    pages: tuple[Page, ...]
    failures: tuple[PageFailure, ...] = ()
    title: str | None = None
    authors: tuple[str, ...] = ()
    date: str | None = None


@dataclass
class _Sheet:
    label: str | None
    blocks: list[Block] = field(default_factory=list)
    notes: list[Block] = field(default_factory=list)
    links: dict[str, None] = field(default_factory=dict)
    raw: str | None = None
    failure: PageFailure | None = None


class Sheets:
    """Pages, slides or sections under construction. `paged`: the file has pages of its own, which are never cut."""

    def __init__(self, name: str, limits: Limits, paged: bool = False) -> None:
        self._name, self._limits, self._paged = name, limits, paged
        self._sheets: list[_Sheet] = [_Sheet(None)]
        self._path: list[tuple[int, str]] = []  # headings above, with their levels
        self._started = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands on the current page yet."""
        return not self._sheets[-1].blocks

    @property
    def has_only_titles(self) -> bool:
        return all(block.kind == "title" for block in self._sheets[-1].blocks)

    def page(self, label: str | None = None, raw: str | None = None) -> None:
        """Go to a new page (the first call names the one that is there). Headings go on over pages."""
        if len(self._sheets) >= self._limits.pages:
            raise ReadError(
                f"« {self._name} » compte plus de {self._limits.pages} pages ou parties : découpez-le.",
                code="too_many_pages",
            )
        if self._started or not self.is_blank:
            self._sheets.append(_Sheet(label, raw=raw))
        else:
            self._sheets[-1] = _Sheet(label, raw=raw)
        self._started = True

    def heading(self, level: int, text: str) -> None:
        text = clean(text)
        if len(text) > LONGEST_HEADING:
            self.paragraph(text)
        elif text:
            self._path = [(above, title) for above, title in self._path if above < level] + [(level, text)]
            self._add("title", text)

    def paragraph(self, text: str, kind: BlockKind = "body") -> None:
        text = clean(text)
        if any(c.isalnum() for c in text):
            self._add(kind, text)

    def items(self, items: Sequence[str], numbered: bool = False, start: int = 1) -> None:
        """A list, an item a line."""
        rows = [text for text in map(clean, items) if any(c.isalnum() for c in text)]
        marks = [f"{start + i}. " if numbered else "- " for i in range(len(rows))]
        if rows:
            self._add("list", "\n".join(mark + row for mark, row in zip(marks, rows, strict=True)))

    def table(self, rows: Sequence[Sequence[str]], headed: bool | None = None) -> None:
        """A table as rows `label : head value ; head value`. `headed`: whether the first row holds heads, where known."""
        text = "\n".join(table_rows(rows, headed))
        if text:
            self._add("table", text)

    def note(self, call: str | None, text: str) -> None:
        """A footnote or a speaker's note: at the end of its page, out of the sentences."""
        text = clean(text)
        if text:
            self._sheets[-1].notes.append(Block("note", text, 0, 0, self._section(), call))

    def link(self, url: str | None) -> None:
        if url and re.match(r"(?:https?|mailto):", url):
            self._sheets[-1].links[url] = None

    def fail(self, code: str, message: str) -> None:
        """The current page could not be read."""
        self._sheets[-1].failure = PageFailure(len(self._sheets), code, message)

    def finish(self, title: str | None, authors: Sequence[str], date: str | None) -> StructuredDocument:
        """The pages that hold text. Raises ReadError where there is none."""
        pages, failures = [], []
        first = next((b.text for s in self._sheets for b in s.blocks if b.kind == "title"), None)
        title = usable_title(title) or first
        for number, sheet in enumerate(self._sheets, 1):
            if sheet.failure is not None:
                failures.append(replace(sheet.failure, page=number))
            if sheet.blocks or sheet.notes:
                pages.append(_page(number, sheet, title))
        if not pages:
            raise ReadError(f"« {self._name} » n'a pas de texte.", code="no_text")
        known = tuple(dict.fromkeys(name for author in authors if (name := clean(author))))
        return StructuredDocument(tuple(pages), tuple(failures), title, known, iso_date(date))

    def _section(self) -> tuple[str, ...]:
        return tuple(title for _, title in self._path)

    def _add(self, kind: BlockKind, text: str) -> None:
        if not self._paged and sum(len(b.text) for b in self._sheets[-1].blocks) > SHEET_CHARACTERS:
            self.page()
        self._sheets[-1].blocks.append(Block(kind, text, 0, 0, self._section()))


def _page(number: int, sheet: _Sheet, title: str | None) -> Page:
    blocks, start = [], 0
    for block in [*sheet.blocks, *sheet.notes]:
        section = block.section
        if len(section) > 1 and section[0] == title:
            section = section[1:]  # the document's title stands before the section already
        blocks.append(replace(block, start=start, end=start + len(block.text), section=section))
        start += len(block.text) + len(BLOCK_SEPARATOR)
    text = BLOCK_SEPARATOR.join(block.text for block in blocks)
    label = sheet.label or str(number)
    return Page(
        number, label, *SHEET, text, text if sheet.raw is None else sheet.raw, tuple(blocks), tuple(sheet.links)
    )


def clean(text: str) -> str:
    """One line of normalised text: no control signs, spaces as French sets them kept, others single."""
    text = unicodedata.normalize("NFC", text).replace("\u00ad", "").replace("\u200b", "").replace("\ufeff", "")
    text = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
    return re.sub(r"[ \t\n\u2028\u2029]+", " ", text).strip()


def table_rows(rows: Sequence[Sequence[str]], headed: bool | None = None) -> list[str]:
    """Rows that say their column heads: `Mécénat : taux de pratique 25 % ; part locale 43 %`."""
    cells = [[clean(cell) for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    if not cells:
        return []
    if max(map(len, cells)) == 1:
        return [row[0] for row in cells]
    if headed is None:
        headed = (
            len(cells) > 1 and all(cell and not re.search(r"\d", cell) for cell in cells[0][1:]) and len(cells[0]) > 1
        )
    if not headed or len(cells) == 1:
        return [_row(row[0], [("", cell) for cell in row[1:]]) for row in cells]
    heads = cells[0]
    top = " ; ".join(dict.fromkeys(filter(None, heads[1:])))
    lines = [f"{heads[0]} : {top}" if heads[0] else top]
    for row in cells[1:]:
        values = [(heads[i] if i < len(heads) else "", cell) for i, cell in enumerate(row) if i > 0]
        lines.append(_row(row[0], values))
    return lines


def _row(label: str, values: Sequence[tuple[str, str]]) -> str:
    said = " ; ".join(f"{head} {value}".strip() for head, value in values if value)
    return f"{label} : {said}" if label and said else label or said


def usable_title(title: str | None) -> str | None:
    """A title of the metadata, unless it is one that the software made up."""
    text = clean(title or "")
    if (
        len(text) < 3
        or _NO_TITLE.match(text)
        or re.search(r"\.(?:docx?|odt|pptx?|html?|indd|pdf)$", text, re.IGNORECASE)
    ):
        return None
    return text


def iso_date(text: str | None) -> str | None:
    """The date that `text` starts with, as precise as it says: 2023, 2023-10 or 2023-10-18."""
    match = re.match(r"\s*((?:19|20)\d\d(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?)(?![\d-])", text or "")
    return match[1] if match else None
