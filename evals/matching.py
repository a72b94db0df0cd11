"""What counts as the same text: facts in an answer, evidence on a page, quotes on their page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rapidfuzz import fuzz

_NUMBER = re.compile(r"\d[\d   \u202f\u00a0]*(?:[.,]\d+)?")
_CALL = re.compile(r"\[\d+(?:, ?\d+)*\]")


def fold(text: str) -> str:
    """The contract's normalisation of facts: case, accents, spaces, typographic signs."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("œ", "oe").replace("æ", "ae"))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("’", "'")
    plain = re.sub(r"(?<=\d)\s+(?=\d{3}\b)", "", plain)
    return re.sub(r"\s+", " ", re.sub(r"\s+(?=[%€])", "", plain)).strip()


def squash(text: str) -> str:
    """Letters and digits only: spaces, hyphens at line ends, accents and case are no part of the comparison."""
    return re.sub(r"[^a-z0-9]", "", fold(text))


def holds_fact(text: str, variants: Sequence[str]) -> bool:
    """Whether any variant of a fact is in a text; a variant that begins or ends with a digit isn't found inside a longer
    number (« 35 » isn't in « 350 »)."""
    folded = fold(text)
    return any(_variant(variant).search(folded) is not None for variant in variants)


def _variant(variant: str) -> re.Pattern[str]:
    folded = fold(variant)
    before = r"(?<!\d)" if folded[:1].isdigit() else ""
    after = r"(?!\d)" if folded[-1:].isdigit() else ""
    return re.compile(before + re.escape(folded) + after)


def numbers(text: str) -> set[str]:
    """The numbers of a text, citation calls aside: « 1 200 » → 1200, « 1,5 » → 1.5."""
    found = (re.sub(r"\s", "", n).replace(",", ".") for n in _NUMBER.findall(_CALL.sub(" ", text)))
    return {n for n in found if n}


def likeness(part: str, whole: str) -> float:
    """How much of `part` stands in a row somewhere in `whole`, 0 to 1 (best alignment, both squashed)."""
    a, b = squash(part), squash(whole)
    if not a or not b:
        return 0.0
    if a in b:
        return 1.0
    return fuzz.partial_ratio(a, b) / 100 if len(a) <= len(b) else fuzz.ratio(a, b) / 100
