"""read_markdown and read_text: Markdown by sections (its first two levels of headings), plain text by pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from corpus.errors import ReadError
from corpus.html import read_html
from corpus.joining import join_lines
from corpus.limits import Limits
from corpus.repair import Damage, damage_of, repair
from corpus.structured import Sheets, StructuredDocument

PAGE_CHARACTERS = 3500  # about a printed page: where plain text has no form feeds
FRONT_MATTER_CHARACTERS = 20_000
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_NOTE = re.compile(r"^\[\^([\w-]+)\]:[ \t]+(.+(?:\n[ \t]+\S.*)*)\n?", re.MULTILINE)
_CALL = re.compile(r"\[\^([\w-]+)\]")
_ITEM = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+")
_MARKDOWN = MarkdownIt("commonmark", {"maxNesting": 50}).enable(["table", "strikethrough"])


def decode(data: bytes, name: str) -> str:
    """The text of `data`: UTF-8, UTF-16 with its mark, else Windows-1252. Raises ReadError where it isn't text."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    elif b"\0" in data[:8192]:
        raise ReadError(f"« {name} » n'est pas du texte. Vérifiez le fichier et son nom.", code="wrong_type")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    if not text.strip():
        raise ReadError(f"« {name} » est vide.", code="no_text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_markdown(data: bytes, name: str, limits: Limits) -> StructuredDocument:
    """The sections of a Markdown file, with its front matter as metadata. Raises ReadError."""
    text = decode(data, name)
    front, body = _front_matter(text)
    try:
        return _Reader(body, name, limits).read(front)
    except RecursionError as error:
        raise ReadError(f"« {name} » est imbriqué trop profondément pour être lu.", code="corrupt") from error


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    match = _FRONT_MATTER.match(text)
    if match is None or len(match[1]) > FRONT_MATTER_CHARACTERS:
        return {}, text
    try:
        front = yaml.safe_load(match[1])
    except yaml.YAMLError:
        return {}, text
    return (front, text[match.end() :]) if isinstance(front, dict) else ({}, text)


class _Reader:
    def __init__(self, body: str, name: str, limits: Limits) -> None:
        self.notes = dict(_NOTE.findall(body))
        self.called: list[str] = []
        self.name, self.limits = name, limits
        self.tree = SyntaxTreeNode(_MARKDOWN.parse(_NOTE.sub("", body)))
        self.sheets = Sheets(name, limits)

    def read(self, front: dict[str, Any]) -> StructuredDocument:
        for node in self.tree.children:
            self._block(node)
            self._told_notes()
        authors = front.get("authors", front.get("author")) or []
        names = [str(a) for a in authors] if isinstance(authors, list) else re.split(r"\s*[;,]\s*", str(authors))
        date = front.get("date")
        return self.sheets.finish(str(front.get("title") or ""), names, str(date) if date else None)

    def _block(self, node: SyntaxTreeNode) -> None:
        match node.type:
            case "heading":
                level = int(node.tag[1:])
                if level <= 2 and not self.sheets.has_only_titles:
                    self.sheets.page()
                self.sheets.heading(level, self._text(node))
            case "paragraph":
                self.sheets.paragraph(self._text(node))
            case "bullet_list" | "ordered_list":
                start = int(node.attrs.get("start") or 1)
                self.sheets.items(self._items(node), node.type == "ordered_list", start)
            case "table":
                rows = [row for part in node.children for row in part.children]
                self.sheets.table([[self._text(cell) for cell in row.children] for row in rows], headed=True)
            case "fence" | "code_block":
                for line in node.content.splitlines():
                    self.sheets.paragraph(line)
            case "html_block":
                self._html(node.content)
            case _:
                for child in node.children:
                    self._block(child)

    def _html(self, content: str) -> None:
        """HTML inside Markdown: its text, by the reader of HTML."""
        try:
            inner = read_html(content.encode(), self.name, self.limits)
        except ReadError:
            return  # comments and empty tags
        for page in inner.pages:
            for block in page.blocks:
                rows = block.text.split("\n")
                if block.kind == "list":
                    self.sheets.items([_ITEM.sub("", row) for row in rows])
                elif block.kind == "table":
                    self.sheets.table([[row] for row in rows])
                else:
                    self.sheets.paragraph(block.text)

    def _items(self, node: SyntaxTreeNode) -> list[str]:
        found = []
        for item in node.children:
            own = [child for child in item.children if child.type not in ("bullet_list", "ordered_list")]
            found.append(" ".join(self._text(child) for child in own))
            for child in item.children:
                if child.type in ("bullet_list", "ordered_list"):
                    found += self._items(child)
        return found

    def _text(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "text" | "code_inline" | "code_block" | "fence":
                return _CALL.sub(self._call, node.content)
            case "softbreak" | "hardbreak":
                return " "
            case "html_inline":
                return ""
            case "image":
                return node.content
        if node.type == "link":
            self.sheets.link(str(node.attrs.get("href") or ""))
        parts = [self._text(child) for child in node.children]
        return (" " if node.type in ("blockquote", "list_item") else "").join(parts)

    def _call(self, match: re.Match[str]) -> str:
        if match[1] in self.notes:
            self.called.append(match[1])
            return ""
        return match[0]

    def _told_notes(self) -> None:
        for call in self.called:
            text = " ".join(self.notes[call].split())
            self.sheets.note(call, re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", r"\1", text))
        self.called.clear()


def read_text(data: bytes, name: str, limits: Limits) -> StructuredDocument:
    """Plain text: pages at form feeds, else at a paragraph's end after about a page; underlined lines are headings."""
    text = decode(data, name)
    sheets = Sheets(name, limits)
    damage = damage_of(text)
    pages = [part for part in text.split("\f") if part.strip()]
    if len(pages) == 1:
        pages = _cut(pages[0])
    for page in pages:
        sheets.page(raw=page)
        for paragraph in re.split(r"\n[ \t]*\n", page):
            _paragraph([line for line in paragraph.split("\n") if line.strip()], sheets, damage)
    return sheets.finish(None, [], None)


def _paragraph(lines: list[str], sheets: Sheets, damage: Damage) -> None:
    if not lines:
        return
    if lines[0].startswith("#"):
        sheets.heading(len(lines[0]) - len(lines[0].lstrip("#")), lines[0].lstrip("# "))
        return _paragraph(lines[1:], sheets, damage)
    if len(lines) > 1 and re.fullmatch(r"\s*(?:={3,}|-{3,})\s*", lines[1]):
        sheets.heading(1 if "=" in lines[1] else 2, lines[0])
        return _paragraph(lines[2:], sheets, damage)
    if _ITEM.match(lines[0]) and sum(bool(_ITEM.match(line)) for line in lines) > 1:
        sheets.items([_ITEM.sub("", repair(join_lines(item), damage)) for item in _grouped(lines)])
        return None
    sheets.paragraph(repair(join_lines([line.strip() for line in lines]), damage))
    return None


def _grouped(lines: Sequence[str]) -> list[list[str]]:
    """Lines by item: a line without a mark goes on from the one before."""
    groups: list[list[str]] = []
    for line in lines:
        if _ITEM.match(line) or not groups:
            groups.append([line.strip()])
        else:
            groups[-1].append(line.strip())
    return groups


def _cut(text: str) -> list[str]:
    pages, start = list[str](), 0
    while len(text) - start > PAGE_CHARACTERS * 1.5:
        stop = text.rfind("\n\n", start + PAGE_CHARACTERS // 2, start + PAGE_CHARACTERS)
        if stop < 0:
            stop = text.rfind("\n", start + PAGE_CHARACTERS // 2, start + PAGE_CHARACTERS)
        stop = stop if stop > 0 else start + PAGE_CHARACTERS
        pages.append(text[start:stop])
        start = stop
    return [*pages, text[start:]]
