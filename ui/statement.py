"""The accessibility statement, from `docs/accessibilite.md`, as a page of its own: no script, readable anywhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

from ui.markup import address, read

SOURCE = Path(__file__).resolve().parent.parent / "docs" / "accessibilite.md"
SHELL = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Accessibilité · Boussole 17</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="favicon.ico"><link rel="stylesheet" href="{theme}"><link rel="stylesheet" href="{sheet}"></head>
<body><header><a href="./">{logo}<span>Boussole&nbsp;17</span></a></header><main>{text}</main></body></html>"""


@cache
def statement() -> str:
    """The whole HTML page."""
    text = MarkdownIt("commonmark").enable("table").render(SOURCE.read_text(encoding="utf-8"))
    return SHELL.format(
        theme=address("css/theme.css"), sheet=address("css/sheet.css"), logo=read("logo.svg"), text=text
    )
