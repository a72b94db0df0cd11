"""read_html: a web page by sections (h1, h2), without its menus, scripts and margins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup, NavigableString, Tag
from bs4.element import PreformattedString

from corpus.errors import ReadError
from corpus.limits import Limits
from corpus.structured import Sheets, StructuredDocument, clean

_DROPPED = (
    "script style noscript template svg canvas iframe object embed form button select nav header footer aside dialog head"
).split()
_CELLS = frozenset(("td", "th"))  # of a table inside a cell: two words that touch would be one
_BLOCKS = frozenset(
    "address article blockquote body center dd details div dl dt fieldset figcaption figure h1 h2 h3 h4 h5 h6 hr html li "
    "main ol p pre section summary table ul caption".split()
)
_ROLES = frozenset("navigation banner contentinfo complementary search dialog menu".split())
ENOUGH = 200  # characters of text by which <main> or <article> is taken for the whole content
DEEPEST = 400  # nested elements: real pages stay below a hundred


def read_html(data: bytes, name: str, limits: Limits) -> StructuredDocument:
    """The sections of an HTML page. Raises ReadError."""
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ReadError(f"« {name} » n'est pas une page HTML.", code="wrong_type")
    try:
        soup = BeautifulSoup(data, "lxml")
        return _Reader(soup, name, limits).read()
    except (ReadError, MemoryError):
        raise
    except RecursionError as error:
        raise ReadError(f"« {name} » est imbriqué trop profondément pour être lu.", code="corrupt") from error


class _Reader:
    def __init__(self, soup: BeautifulSoup, name: str, limits: Limits) -> None:
        self.soup = soup
        self.sheets = Sheets(name, limits)

    def read(self) -> StructuredDocument:
        title, authors, date = _metadata(self.soup)
        for tag in self.soup.find_all(_DROPPED):
            if tag.name != "header" or tag.find(["h1", "h2"]) is None:  # an article's own header holds its title
                tag.decompose()
        for tag in self.soup.find_all(_is_hidden):
            tag.decompose()
        self._flow(_content(self.soup), 0)
        return self.sheets.finish(title, authors, date)

    def _flow(self, parent: Tag, depth: int) -> None:
        """Blocks in order; loose text between them is a paragraph."""
        if depth > DEEPEST:
            raise RecursionError
        loose: list[str] = []

        def end_loose() -> None:
            self.sheets.paragraph("".join(loose))
            loose.clear()

        for child in parent.children:
            if isinstance(child, Tag) and _holds_block(child):
                end_loose()
                self._block(child, depth + 1)
            elif isinstance(child, Tag):
                self._links(child)
                loose.append(" " if child.name == "br" else _text(child))
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                loose.append(str(child))
        end_loose()

    def _block(self, tag: Tag, depth: int) -> None:
        if re.fullmatch(r"h[1-6]", tag.name):
            level = int(tag.name[1])
            if level <= 2 and not self.sheets.has_only_titles:
                self.sheets.page()
            self.sheets.heading(level, _text(tag))
            self._links(tag)
        elif tag.name in ("ul", "ol"):
            self._links(tag)
            start = str(tag.get("start") or "1")
            self.sheets.items(list(_items(tag)), tag.name == "ol", int(start) if start.isdigit() else 1)
            for table in tag.find_all("table"):
                self._table(table)
        elif tag.name == "dl":
            self._links(tag)
            self.sheets.items(list(_definitions(tag)))
        elif tag.name == "table":
            self._table(tag)
        elif tag.name in ("figcaption", "caption"):
            self.sheets.paragraph(_text(tag), "caption")
        elif tag.name == "pre":
            for line in tag.get_text().splitlines():
                self.sheets.paragraph(line)
        else:
            self._flow(tag, depth)

    def _table(self, table: Tag) -> None:
        caption = table.find("caption")
        if isinstance(caption, Tag):
            self.sheets.paragraph(_text(caption), "caption")
        self._links(table)
        rows, headed = _rows(table)
        if len(rows) == 1 or (rows and max(map(len, rows)) == 1):  # a table that only lays out the page
            for cell in table.find_all(["td", "th"]):
                if cell.find_parent("table") is table:
                    self._flow(cell, 1)
            return
        self.sheets.table(rows, headed)

    def _links(self, tag: Tag) -> None:
        for link in [tag, *tag.find_all("a")]:
            if link.name == "a":
                self.sheets.link(str(link.get("href") or ""))


def _is_hidden(tag: Tag) -> bool:
    style = str(tag.get("style") or "").replace(" ", "").lower()
    hidden = tag.has_attr("hidden") or tag.get("aria-hidden") == "true" or "display:none" in style
    return hidden or str(tag.get("role") or "") in _ROLES


def _content(soup: BeautifulSoup) -> Tag:
    for name in ("main", "article"):
        found = soup.find_all(name)
        if len(found) == 1 and len(found[0].get_text(strip=True)) >= ENOUGH:
            return found[0]
    return soup.body or soup


def _holds_block(tag: Tag) -> bool:
    return tag.name in _BLOCKS or tag.find(lambda inner: inner.name in _BLOCKS) is not None


def _text(tag: Tag) -> str:
    return "".join(_pieces(tag))


def _pieces(tag: Tag) -> Iterator[str]:
    for child in tag.children:
        if isinstance(child, Tag):
            apart = child.name in _BLOCKS or child.name in _CELLS
            if child.name == "br" or apart:
                yield " "
            yield from _pieces(child)
            if apart:
                yield " "
        elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
            yield str(child)


def _items(parent: Tag) -> Iterator[str]:
    """Items of a list, those of inner lists after the item that holds them."""
    for item in parent.find_all("li", recursive=False):
        inner = item.find_all(["ul", "ol"])
        for each in inner:
            each.extract()
        for table in item.find_all("table"):
            table.extract()
        yield _text(item)
        for each in inner:
            if each.find_parent(["ul", "ol"]) is None:
                yield from _items(each)


def _definitions(parent: Tag) -> Iterator[str]:
    """« terme : définition », an item each."""
    term = ""
    for child in parent.find_all(["dt", "dd"]):
        text = clean(_text(child))
        if child.name == "dt":
            term = text
        else:
            yield f"{term} : {text}" if term else text


def _rows(table: Tag) -> tuple[list[list[str]], bool | None]:
    """Rows of cells by grid column; a cell that spans rows says its text in each."""
    rows: list[list[str]] = []
    headed: bool | None = None
    down: dict[int, tuple[int, str]] = {}  # column → rows still covered, text
    for tr in table.find_all("tr"):
        if tr.find_parent("table") is not table:
            continue
        cells = tr.find_all(["td", "th"], recursive=False)
        if not rows:
            heads = sum(cell.name == "th" for cell in cells)
            headed = True if heads and (heads == len(cells) or (heads == len(cells) - 1 and heads > 1)) else None
        row: list[str] = []

        def take_covered(row: list[str]) -> None:
            while len(row) in down:
                left, text = down.pop(len(row))
                if left > 1:
                    down[len(row)] = (left - 1, text)
                row.append(text)

        for cell in cells:
            take_covered(row)
            text = clean(_text(cell))
            for i in range(_span(cell, "colspan")):
                if (high := _span(cell, "rowspan")) > 1:
                    down[len(row)] = (high - 1, text if i == 0 else "")
                row.append(text if i == 0 or not rows else "")
        take_covered(row)
        if any(row):
            rows.append(row)
    return rows, headed


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name) or "1")
    return max(1, min(int(value), 50)) if value.isdigit() else 1


def _metadata(soup: BeautifulSoup) -> tuple[str | None, list[str], str | None]:
    def said(*names: str) -> str | None:
        for name in names:
            tag: Any = soup.find("meta", attrs={"property": name}) or soup.find("meta", attrs={"name": name})
            if tag is not None and tag.get("content"):
                return clean(str(tag["content"]))
        return None

    heading = soup.find("h1")
    title = said("og:title", "dc.title", "DC.title")
    if title is None and soup.title is not None:
        title = clean(soup.title.get_text())
    if heading is not None and clean(_text(heading)) and (title is None or clean(_text(heading)) in title):
        title = clean(_text(heading))  # without the site's name
    time = soup.find("time", attrs={"datetime": True})
    date = said("article:modified_time", "article:published_time", "dc.date", "DC.date", "date")
    author = said("author", "article:author", "dc.creator", "DC.creator")
    return title, [author] if author else [], date or (str(time["datetime"]) if time else None)
