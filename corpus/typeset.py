"""Typeset the starter corpus: `python -m corpus.typeset` turns corpus/documents/*.md into PDFs beside them.

Markdown (CommonMark, tables, `[^1]` footnotes) goes through markdown-it-py's tree to Typst markup; fiche.typ gives the
look and `typst` sets it with the fonts that it carries. Nothing depends on the machine or the day: the date is that of
the front matter, so that a second build gives the same bytes.

Front matter (YAML): title, date, authors, kind, columns (1 or 2), sources (each with title; url and date where known).
Two fenced blocks draw: `etapes` (boxes in a row, joined by arrows) and `cercle` (boxes round a circle), a line a box,
written `label | detail`.
"""

from __future__ import annotations

import argparse
import datetime
import re
import sys
from pathlib import Path
from typing import Annotated

import typst
import yaml
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corpus.errors import ReadError

DOCUMENTS = Path(__file__).parent / "documents"
LOOK = Path(__file__).parent / "fiche.typ"
MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_NOTE = re.compile(r"^\[\^(\w+)\]:[ \t]+(.+(?:\n[ \t]+\S.*)*)\n?", re.MULTILINE)
_CALL = re.compile(r"\[\^(\w+)\]")
_MARKDOWN = MarkdownIt("commonmark").enable("table")


class Source(BaseModel):
    """Where a fiche's facts come from."""

    model_config = ConfigDict(extra="forbid")
    title: str
    url: str | None = None
    date: str | None = None


class FrontMatter(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str
    date: datetime.date
    authors: str = "Boussole 17"
    kind: str = "fiche"
    columns: Annotated[int, Field(ge=1, le=2)] = 1
    sources: Annotated[list[Source], Field(min_length=1)]


def build(source: Path, target: Path) -> None:
    """Set the Markdown file `source` as the PDF `target`; raise ReadError where its front matter is unusable."""
    text = markup(source.read_text(encoding="utf-8"), source.name)
    target.write_bytes(typst.compile(text.encode(), ignore_system_fonts=True))


def markup(text: str, name: str) -> str:
    """Typst markup of a whole Markdown text with its front matter; `name` is for error messages."""
    front, body = split_front_matter(text, name)
    notes = dict(_NOTE.findall(body))
    tree = SyntaxTreeNode(_MARKDOWN.parse(_NOTE.sub("", body)))
    return "\n".join([LOOK.read_text(encoding="utf-8"), _head(front), _render(tree, notes), _sources(front)])


def split_front_matter(text: str, name: str) -> tuple[FrontMatter, str]:
    """The checked front matter and the Markdown body; raise ReadError where it lacks or is wrong."""
    parts = re.match(r"---\n(.*?)\n---\n(.*)", text, re.DOTALL)
    if parts is None:
        raise ReadError(f"{name} : il manque l'en-tête « --- … --- » avec title, date et sources.", code="wrong_type")
    try:
        return FrontMatter.model_validate(yaml.safe_load(parts[1])), parts[2]
    except (yaml.YAMLError, ValidationError) as error:
        raise ReadError(f"{name} : en-tête à corriger ({error}).", code="wrong_type") from error


def _head(front: FrontMatter) -> str:
    day = front.date
    title, authors, kind = _string(front.title), _string(front.authors), _string(front.kind)
    line = _string(f"{front.kind.capitalize()} · {front.authors} · {day.day} {MONTHS[day.month - 1]} {day.year}")
    date = f"datetime(year: {day.year}, month: {day.month}, day: {day.day})"
    return (
        f"#set document(title: {_quote(front.title)}, author: {authors}, keywords: ({kind},), date: {date})\n"
        f"#show: fiche.with(title: {title}, line: {line}, columns: {front.columns})\n"
    )


def _sources(front: FrontMatter) -> str:
    items = []
    for source in front.sources:
        text = _string(source.title + (f", {source.date}" if source.date else "") + (" : " if source.url else "."))
        items.append(f"[#{text};{f'#link({_string(source.url)});' if source.url else ''}]")
    look = "#set text(9pt)\n#set par(justify: false, leading: 0.5em)"
    return f"#heading(level: 1)[Sources]\n{look}\n#list({', '.join(items)},)"


def _string(text: str) -> str:
    """A Typst string: nothing in it is markup. French thin punctuation gets its non-breaking space."""
    return _quote(re.sub(r"(?<=\S) (?=[;:?!%€»])|(?<=«) ", "\u00a0", text))


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _render(node: SyntaxTreeNode, notes: dict[str, str]) -> str:
    def inner() -> str:
        return "".join(_render(child, notes) for child in node.children)

    match node.type:
        case "root" | "inline":
            return inner()
        case "text":
            return _text(node.content, notes)
        case "softbreak":
            return '#" ";'
        case "heading":
            return f"\n#heading(level: {int(node.tag[1:]) - 1})[{inner()}]\n"
        case "paragraph":
            return f"{inner()}\n\n"
        case "strong" | "em":
            return f"#{'strong' if node.type == 'strong' else 'emph'}[{inner()}];"
        case "link":
            return f"#link({_string(str(node.attrs['href']))})[{inner()}];"
        case "bullet_list" | "ordered_list":
            items = ", ".join(f"[{_render(item, notes)}]" for item in node.children)
            return f"#{'list' if node.type == 'bullet_list' else 'enum'}({items},)\n\n"
        case "list_item":
            return inner().strip()
        case "blockquote":
            return f"#notice[{inner()}]\n\n"
        case "table":
            return _table(node, notes)
        case "fence" if node.info in {"etapes", "cercle"}:
            pairs = [line.partition("|") for line in node.content.strip().splitlines()]
            boxes = ", ".join(f"({_string(label.strip())}, {_string(detail.strip())})" for label, _, detail in pairs)
            return f"#{node.info}({boxes})\n\n"
    raise ReadError(f"Élément Markdown sans mise en page : {node.type}. Voir corpus/typeset.py.", code="unsupported")


def _text(text: str, notes: dict[str, str]) -> str:
    parts = _CALL.split(text)  # text, note name, text, note name, …
    out = [f"#{_string(part)};" if i % 2 == 0 else _note(part, notes) for i, part in enumerate(parts) if part]
    return "".join(out)


def _note(name: str, notes: dict[str, str]) -> str:
    if name not in notes:
        raise ReadError(f"Note [^{name}] appelée mais absente.", code="wrong_type")
    return f"#footnote[{_render(SyntaxTreeNode(_MARKDOWN.parseInline(' '.join(notes[name].split()))), {})}];"


def _table(node: SyntaxTreeNode, notes: dict[str, str]) -> str:
    rows = [row for part in node.children for row in part.children]
    cells = [[f"[{''.join(_render(c, notes) for c in cell.children)}]" for cell in row.children] for row in rows]
    head = ", ".join(cell.replace("[", "[#strong[", 1) + "]" for cell in cells[0])
    body = ",\n".join(", ".join(row) for row in cells[1:])
    return f"#table(columns: {len(cells[0])}, table.header({head}),\n{body})\n\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compose les fiches Markdown du corpus de départ en PDF.")
    parser.add_argument("--source", type=Path, default=DOCUMENTS, help="dossier des fiches (.md)")
    parser.add_argument("--target", type=Path, help="dossier des PDF ; par défaut, celui des fiches")
    options = parser.parse_args(arguments)
    try:
        for source in sorted(options.source.glob("*.md")):
            build(source, (options.target or options.source) / f"{source.stem}.pdf")
    except ReadError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
