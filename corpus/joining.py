"""join_lines: one paragraph from the lines that it is set in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpus.lexicon import fold, is_known

PREFIXES = frozenset("socio co eco non auto micro macro quasi ex vice demi semi inter multi pluri savoir bien".split())

OPTIONAL = re.compile(r"\((r[ée]|d[ée]s?|co|in|im|pr[ée]|sur)\)$")


def join_lines(lines: Sequence[str]) -> str:
    """One paragraph from its lines: a word cut at a line's end is joined, a compound keeps its hyphen."""
    text = ""
    # Some typesetters write every hyphen as U+00AD: at a line's end it may cut a word, elsewhere it is a hyphen.
    for line in (stripped.replace("\u00ad", "-") for line in lines if (stripped := line.strip())):
        if not text:
            text = line
        elif re.search(r"https?\S*[/.\-_]$|h\w{2,4}[.:]//\S*[-/]$", text):
            text += line  # an address goes on
        elif re.search(r"\w-$", text) and line[:1].islower():
            text = _joined(text, line)
        elif re.search(r"[^\W\d_]-$", text) and line[:1].isupper():
            text = _joined_capitals(text, line)
        elif (prefix := OPTIONAL.search(text)) and line[:1].islower() and is_known(prefix[1] + _first(line)):
            text += line  # « (ré) » cut from « inventer »
        else:
            text += " " + line
    return text


def _joined_capitals(text: str, line: str) -> str:
    """« ECO- » « SYSTEMES » is one word, « Charles- » « Benoît » a compound."""
    end, start = re.search(r"([^\W\d_]+)-$", text), _first(line)
    if end and len(start) > 1 and end.group(1).isupper() and start.isupper() and is_known(end.group(1) + start):
        return text[:-1] + line
    return text + line


def _first(line: str) -> str:
    found = re.match(r"[^\W\d_]+", line)
    return found.group() if found else ""


def _joined(text: str, line: str) -> str:
    end = re.search(r"([^\W\d_]+)-$", text)
    start = re.match(r"[^\W\d_]+", line)
    if not end or not start:
        return text + line
    whole = end.group(1) + start.group()
    if fold(end.group(1)) in PREFIXES and is_known(start.group()):
        return text + line
    if is_known(whole) or not (is_known(start.group()) and is_known(end.group(1))):
        return text[:-1] + line
    return text + line
