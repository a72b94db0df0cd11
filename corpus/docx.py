"""read_docx: a Word file by pages where it knows them (its last layout), else by sections.

The tree is walked itself: python-docx's paragraphs leave out content controls, tracked insertions, text boxes and notes.
Deleted text, field codes and macros are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE as RT
from docx.oxml.ns import qn
from lxml import etree

from corpus.archive import opened
from corpus.limits import Limits
from corpus.structured import Sheets, StructuredDocument

_SKIPPED = {
    qn(f"w:{tag}")
    for tag in ("del", "moveFrom", "pPr", "rPr", "instrText", "delText", "txbxContent", "footnoteReference")
}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BREAKS = (qn("w:lastRenderedPageBreak"),)


def read_docx(data: bytes, name: str, limits: Limits) -> StructuredDocument:
    """The pages or sections of a Word file. Raises ReadError."""
    with opened(data, name, "word/document.xml") as archive:
        return _Reader(docx.Document(archive), name, limits).read()


class _Reader:
    def __init__(self, document: Any, name: str, limits: Limits) -> None:
        self.document = document
        self.body = document.element.body
        self.levels = _heading_levels(document)
        self.notes = _notes(document)
        self.numbering = _numbered(document)
        self.paged = next(self.body.iter(*_BREAKS), None) is not None
        self.sheets = Sheets(name, limits, self.paged)
        self.split_level = 1 if self.paged else _split_level(self.body, self.levels)
        self.list: tuple[bool, list[str]] | None = None
        self.calls = 0

    def read(self) -> StructuredDocument:
        self._blocks(self.body)
        self._end_list()
        core = self.document.core_properties
        date = core.modified or core.created
        title, authors = core.title, re.split(r"[;,]", core.author or "")
        return self.sheets.finish(
            title, [a for a in authors if a != "python-docx"], date.date().isoformat() if date else None
        )

    def _blocks(self, parent: Any) -> None:
        for child in parent:
            if child.tag == qn("w:p"):
                self._paragraph(child)
            elif child.tag == qn("w:tbl"):
                self._end_list()
                self.sheets.table(*self._table(child))
                self._after(child)
            elif child.tag == qn("w:sdt"):
                for content in child.iterchildren(qn("w:sdtContent")):
                    if not _is_contents(child):
                        self._blocks(content)
            elif child.tag in (qn("w:ins"), qn("w:moveTo"), qn("w:customXml"), qn("w:smartTag")):
                self._blocks(child)

    def _paragraph(self, p: Any) -> None:
        level, text = _level(p, self.levels), _text(p)
        if self.paged and self._starts_with_break(p):
            self._turn()
        if level is not None and text.strip():
            self._end_list()
            if not self.paged and level <= self.split_level and not self.sheets.has_only_titles:
                self._turn()
            self.sheets.heading(level, text)
        elif (numbered := self._list_kind(p)) is not None and text.strip():
            if self.list is None or self.list[0] != numbered:
                self._end_list()
                self.list = (numbered, [])
            self.list[1].append(text)
        elif text.strip():
            self._end_list()
            style = _style(p)
            self.sheets.paragraph(text, "caption" if style.lower() in ("caption", "lgende", "legende") else "body")
        self._after(p)

    def _after(self, element: Any) -> None:
        """Links, notes and text boxes of a paragraph or table, and the pages that end in it."""
        for link in element.iter(qn("w:hyperlink")):
            self.sheets.link(self._target(link.get(qn("r:id"))))
        for reference in element.iter(qn("w:footnoteReference"), qn("w:endnoteReference")):
            kind = "footnote" if reference.tag == qn("w:footnoteReference") else "endnote"
            self.calls += 1
            self.sheets.note(str(self.calls), self.notes.get((kind, reference.get(qn("w:id"))), ""))
        for box in element.iter(qn("w:txbxContent")):
            if next(box.iterancestors(_FALLBACK), None) is None:
                self._end_list()
                self._blocks(box)
        if self.paged:
            breaks = sum(1 for _ in element.iter(*_BREAKS)) - int(
                element.tag == qn("w:p") and self._starts_with_break(element)
            )
            for _ in range(breaks):
                self._end_list()
                self._turn()

    def _turn(self) -> None:
        self._end_list()
        self.sheets.page()

    def _end_list(self) -> None:
        if self.list is not None:
            numbered, items = self.list
            self.list = None
            self.sheets.items(items, numbered)

    def _starts_with_break(self, p: Any) -> bool:
        """Whether a page ends before the paragraph's first word."""
        for element in p.iter():
            if element.tag in _BREAKS:
                return True
            if element.tag == qn("w:t") and (element.text or "").strip():
                return False
        return False

    def _list_kind(self, p: Any) -> bool | None:
        """True numbered, False bulleted, None no list."""
        number = p.find(f"{qn('w:pPr')}/{qn('w:numPr')}/{qn('w:numId')}")
        if number is not None and number.get(qn("w:val")) != "0":
            return number.get(qn("w:val")) in self.numbering
        style = _style(p).lower()
        if style.startswith(("listnumber", "listenumros")):
            return True
        return False if style.startswith(("listbullet", "listparagraph", "listepuces", "paragraphedeliste")) else None

    def _target(self, relation: str | None) -> str | None:
        related = self.document.part.rels.get(relation) if relation else None
        return str(related.target_ref) if related is not None and related.is_external else None

    def _table(self, table: Any) -> tuple[list[list[str]], bool | None]:
        """Rows of cell texts by grid column (a merged cell's text in its first column, and in each row it runs over)."""
        rows: list[list[str]] = []
        headed: bool | None = None
        for tr in table.iter(qn("w:tr")):
            if next(tr.iterancestors(qn("w:tbl"))) is not table:
                continue
            if tr.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None and not rows:
                headed = True
            row: list[str] = []
            for tc in tr.iter(qn("w:tc")):
                if next(tc.iterancestors(qn("w:tr"))) is not tr:
                    continue
                properties = tc.find(qn("w:tcPr"))
                merged = properties.find(qn("w:vMerge")) if properties is not None else None
                span = properties.find(qn("w:gridSpan")) if properties is not None else None
                text = " ".join(filter(None, (_text(p).strip() for p in tc.iter(qn("w:p")))))
                if merged is not None and merged.get(qn("w:val")) != "restart" and rows and len(rows[-1]) > len(row):
                    text = rows[-1][len(row)]
                width = int(span.get(qn("w:val")) or 1) if span is not None else 1
                row += [text, *[text if not rows else ""] * (min(width, 64) - 1)]
            rows.append(row)
        return rows, headed


def _text(p: Any) -> str:
    """The paragraph's text as it reads: insertions in, deletions, field codes and text boxes out."""
    return "".join(_pieces(p))


def _pieces(element: Any) -> Iterator[str]:
    for child in element:
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag in (qn("w:tab"), qn("w:br"), qn("w:cr")):
            yield " "
        elif child.tag == qn("w:noBreakHyphen"):
            yield "\u2011"
        elif isinstance(child.tag, str) and child.tag not in _SKIPPED and child.tag != _FALLBACK:
            yield from _pieces(child)


def _style(p: Any) -> str:
    style = p.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    return style.get(qn("w:val")) or "" if style is not None else ""


def _heading_levels(document: Any) -> dict[str, int]:
    """Level of each style id that is a heading: by name (« heading 2 »), by its outline level, or by what it is based on."""
    levels: dict[str, int] = {}
    styles = document.styles.element.findall(qn("w:style"))
    based = {}
    for style in styles:
        identifier = style.get(qn("w:styleId"))
        name = style.find(qn("w:name"))
        label = (name.get(qn("w:val")) or "").lower() if name is not None else ""
        outline = style.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
        parent = style.find(qn("w:basedOn"))
        if parent is not None:
            based[identifier] = parent.get(qn("w:val"))
        if match := re.fullmatch(r"(?:heading|titre) (\d)", label):
            levels[identifier] = int(match[1])
        elif label in ("title", "titre"):
            levels[identifier] = 0
        elif outline is not None and (outline.get(qn("w:val")) or "9").isdigit() and int(outline.get(qn("w:val"))) < 9:
            levels[identifier] = int(outline.get(qn("w:val"))) + 1
    for identifier, parent_id in based.items():
        if identifier not in levels and parent_id in levels:
            levels[identifier] = levels[parent_id]
    return levels


def _level(p: Any, levels: dict[str, int]) -> int | None:
    outline = p.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
    if outline is not None and (outline.get(qn("w:val")) or "").isdigit() and int(outline.get(qn("w:val"))) < 9:
        return int(outline.get(qn("w:val"))) + 1
    return levels.get(_style(p))


def _split_level(body: Any, levels: dict[str, int]) -> int:
    """The heading level that opens a section of its own: the highest that stands there more than once."""
    found = [level for p in body.iter(qn("w:p")) if (level := _level(p, levels)) is not None]
    return next((level for level in sorted(set(found)) if found.count(level) > 1), 1)


def _is_contents(sdt: Any) -> bool:
    """A table of contents repeats the headings: it is no text of the document."""
    gallery = sdt.find(f"{qn('w:sdtPr')}/{qn('w:docPartObj')}/{qn('w:docPartGallery')}")
    return gallery is not None and gallery.get(qn("w:val")) == "Table of Contents"


def _notes(document: Any) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for kind, relation in (("footnote", RT.FOOTNOTES), ("endnote", RT.ENDNOTES)):
        try:
            blob = document.part.part_related_by(relation).blob
        except KeyError:
            continue
        root = etree.fromstring(blob, etree.XMLParser(resolve_entities=False, no_network=True))
        for note in root.iterchildren(qn(f"w:{kind}")):
            if note.get(qn("w:type")) in (None, "normal"):
                found[kind, note.get(qn("w:id"))] = " ".join(_text(p).strip() for p in note.iter(qn("w:p")))
    return found


def _numbered(document: Any) -> set[str]:
    """Ids of the numberings whose first level isn't a bullet."""
    try:
        root = document.part.numbering_part.element
    except (KeyError, NotImplementedError):
        return set()
    formats = {}
    for abstract in root.findall(qn("w:abstractNum")):
        shape = abstract.find(f"{qn('w:lvl')}/{qn('w:numFmt')}")
        formats[abstract.get(qn("w:abstractNumId"))] = shape.get(qn("w:val")) if shape is not None else "bullet"
    found = set()
    for number in root.findall(qn("w:num")):
        abstract = number.find(qn("w:abstractNumId"))
        if abstract is not None and formats.get(abstract.get(qn("w:val")), "bullet") not in ("bullet", "none"):
            found.add(number.get(qn("w:numId")))
    return found
