"""The stable id of a document: a slug made from its file name."""

from __future__ import annotations

import re
import unicodedata


def slug(name: str) -> str:
    """Return `name` as lower-case ASCII words joined by hyphens; "document" where nothing is left."""
    plain = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "Oe").replace("æ", "ae"))
    ascii_only = plain.encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:96].rstrip("-") or "document"
