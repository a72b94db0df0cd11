"""Addresses: those that a page's links lead to, and those that its lines cut."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PRINTED = re.compile(r"https?://\S+")
_SHOWN = re.compile(r"^(?:https?://)?(?:www\.)?|/+$")


def whole_addresses(text: str, links: Iterable[str]) -> str:
    """`text` with the addresses whole that a line's end cut without a sign: the page's links say how they go on."""
    for link in links:
        bare = link.rstrip("/")
        if bare in text or "://" not in bare:
            continue
        pattern = re.compile(r"\s?".join(map(re.escape, bare)))
        for printed in _PRINTED.finditer(text):
            if bare.startswith(printed.group()) and (cut := pattern.match(text, printed.start())):
                text = text[: cut.start()] + bare + text[cut.end() :]
                break
    return text


def unprinted(text: str, links: Iterable[str]) -> tuple[str, ...]:
    """Those of a page's `links` whose address `text` doesn't print, in order and once: a reader of the text misses them."""
    dense = re.sub(r"\s+", "", text).lower()
    return tuple(dict.fromkeys(link for link in links if _SHOWN.sub("", link.lower().removeprefix("mailto:")) not in dense))
