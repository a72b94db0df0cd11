"""read_odt: an OpenDocument text by pages where it knows them (soft page breaks), else by sections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from odf import dc, meta
from odf.namespaces import DRAWNS, OFFICENS, TABLENS, TEXTNS, XLINKNS
from odf.opendocument import load

from corpus.archive import opened
from corpus.limits import Limits
from corpus.structured import Sheets, StructuredDocument

MIME = "application/vnd.oasis.opendocument.text"
REPEATED = 100  # copies of one cell or row: more only fill a sheet with nothing
_HEADING, _PARAGRAPH, _LIST = (TEXTNS, "h"), (TEXTNS, "p"), (TEXTNS, "list")
_BREAK, _NOTE, _TABLE = (TEXTNS, "soft-page-break"), (TEXTNS, "note"), (TABLENS, "table")
_SKIPPED = {
    (TEXTNS, "tracked-changes"),
    (TEXTNS, "table-of-content"),
    (TEXTNS, "sequence-decls"),
    (OFFICENS, "annotation"),
    (OFFICENS, "forms"),
}


def read_odt(data: bytes, name: str, limits: Limits) -> StructuredDocument:
    """The pages or sections of an OpenDocument text. Raises ReadError."""
    with opened(data, name, "content.xml", MIME) as archive:
        return _Reader(load(archive), name, limits).read()


class _Reader:
    def __init__(self, document: Any, name: str, limits: Limits) -> None:
        self.document = document
        nodes = list(_descendants(document.text))
        self.paged = any(node.qname == _BREAK for node in nodes)
        self.sheets = Sheets(name, limits, self.paged)
        levels = [_level(node) for node in nodes if node.qname == _HEADING]
        self.split_level = next((level for level in sorted(set(levels)) if levels.count(level) > 1), 1)

    def read(self) -> StructuredDocument:
        self._blocks(self.document.text)
        said = {
            element.qname[1]: _flat(element)
            for kind in (dc.Title, dc.Creator, dc.Date, meta.InitialCreator)
            for element in self.document.meta.getElementsByType(kind)
        }
        author = said.get("initial-creator") or said.get("creator")
        return self.sheets.finish(said.get("title"), [author] if author else [], (said.get("date") or "")[:10])

    def _blocks(self, parent: Any) -> None:
        for node in _elements(parent):
            if node.qname == _HEADING:
                level = _level(node)
                if not self.paged and level <= self.split_level and not self.sheets.has_only_titles:
                    self.sheets.page()
                self.sheets.heading(level, _text(node))
                self._after(node)
            elif node.qname == _PARAGRAPH:
                style = str(node.getAttribute("stylename") or "")
                if style == "Title":
                    self.sheets.heading(0, _text(node))
                else:
                    self.sheets.paragraph(_text(node))
                self._after(node)
            elif node.qname == _LIST:
                self.sheets.items(list(self._items(node)))
                self._after(node)
            elif node.qname == _TABLE:
                self.sheets.table(*_table(node))
                self._after(node)
            elif node.qname == _BREAK:
                self.sheets.page()
            elif node.qname not in _SKIPPED:
                self._blocks(node)

    def _items(self, parent: Any) -> Iterator[str]:
        for item in _elements(parent):
            own = [_text(node) for node in _elements(item) if node.qname in (_PARAGRAPH, _HEADING)]
            yield " ".join(filter(None, own))
            for node in _elements(item):
                if node.qname == _LIST:
                    yield from self._items(node)

    def _after(self, element: Any) -> None:
        """Notes, links and text boxes of what was just set, and the pages that end in it."""
        for node in _descendants(element):
            if node.qname == _NOTE:
                parts = {child.qname[1]: _flat(child) for child in _elements(node)}
                self.sheets.note(parts.get("note-citation"), parts.get("note-body", ""))
            elif node.qname == (TEXTNS, "a"):
                self.sheets.link(node.attributes.get((XLINKNS, "href")))
            elif node.qname == (DRAWNS, "text-box"):
                self._blocks(node)
            elif node.qname == _BREAK:
                self.sheets.page()


def _table(table: Any) -> tuple[list[list[str]], bool | None]:
    rows: list[list[str]] = []
    headed: bool | None = None
    for node in _descendants(table):
        if node.qname != (TABLENS, "table-row"):
            continue
        if node.parentNode.qname == (TABLENS, "table-header-rows") and not rows:
            headed = True
        row: list[str] = []
        for cell in _elements(node):
            text = " ".join(filter(None, (_text(p) for p in _descendants(cell) if p.qname in (_PARAGRAPH, _HEADING))))
            count = int(cell.attributes.get((TABLENS, "number-columns-repeated")) or 1)
            if cell.qname == (TABLENS, "covered-table-cell") and not text and rows and len(rows[-1]) > len(row):
                text = rows[-1][len(row)] if not row else ""  # merged down: the label holds for this row too
            row += [text] * min(count, REPEATED)
        rows.append(row)
    return rows, headed


def _level(heading: Any) -> int:
    value = str(heading.attributes.get((TEXTNS, "outline-level")) or "1")
    return int(value) if value.isdigit() else 1


def _elements(node: Any) -> Iterator[Any]:
    return (child for child in node.childNodes if child.nodeType == child.ELEMENT_NODE)


def _descendants(node: Any) -> Iterator[Any]:
    for child in _elements(node):
        if child.qname not in _SKIPPED:
            yield child
            yield from _descendants(child)


def _text(node: Any) -> str:
    """The text of a paragraph, without its notes, comments and text boxes."""
    return "".join(_pieces(node)).strip()


def _pieces(node: Any) -> Iterator[str]:
    for child in node.childNodes:
        if child.nodeType in (child.TEXT_NODE, child.CDATA_SECTION_NODE):
            yield str(child.data)
        elif child.qname in ((TEXTNS, "s"), (TEXTNS, "tab"), (TEXTNS, "line-break")):
            yield " "
        elif child.qname not in _SKIPPED and child.qname not in (_NOTE, (DRAWNS, "frame"), (TEXTNS, "ruby-text")):
            yield from _pieces(child)


def _flat(node: Any) -> str:
    return " ".join("".join(_pieces(node)).split())
