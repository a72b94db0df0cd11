"""whole_addresses: what a page prints of an address that its lines cut, made whole from the page's links."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PRINTED = re.compile(r"https?://\S+")


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
