"""The page's markup and files: `static/page.html` with its examples, scripts and styles under an address of their own."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from ui.welcome import EXAMPLES, LIMITS, spaced

STATIC = Path(__file__).resolve().parent / "static"
LOGO = STATIC / "logo.svg"
STYLES = ("theme.css", "frame.css", "conversation.css", "source.css", "library.css", "print.css")
LONGEST = 2000  # characters of a question, as the settings say by default
KINDS = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2"}


@cache
def version() -> str:
    """Fingerprint of the static files: part of their address, so that a browser never mixes two versions."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def static_file(name: str) -> Path | None:
    """The file that a page may load, or None: only scripts, styles and fonts of ours."""
    path = (STATIC / name).resolve()
    if path.suffix not in KINDS or not path.is_relative_to(STATIC) or not path.is_file():
        return None
    return path


def head() -> str:
    """Links to our styles and script, relative: the page may be served under a prefix."""
    styles = "".join(f'<link rel="stylesheet" href="{address(f"css/{name}")}">' for name in STYLES)
    return f'{styles}<script type="module" src="{address("js/main.js")}"></script>'


def address(name: str) -> str:
    return f"page/{version()}/{name}"


def markup() -> str:
    """The chat page and the library, to be filled by the scripts."""
    icons = read("icons.svg")
    names = {name: icon(name) for name in re.findall(r'id="i-([a-z]+)"', icons)}
    examples = "".join(
        f'<li><button type="button" data-example="{escape(question)}">{icon(picture)}'
        f"<strong>{who}</strong><span>{escape(spaced(question))}</span></button></li>"
        for who, picture, question in EXAMPLES
    )
    return Template(read("page.html")).substitute(
        {f"i_{name}": svg for name, svg in names.items()},
        icons=icons,
        logo=read("logo.svg"),
        examples=examples,
        limits=spaced(LIMITS),
        longest=LONGEST,
    )


def icon(name: str) -> str:
    return f'<svg class="b17-icon" aria-hidden="true" focusable="false"><use href="#i-{name}"/></svg>'


def read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
