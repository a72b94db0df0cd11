"""How well a sentence reads: what diagrams and bad OCR leave (« Ca-construlsans demain todls ») is no answer."""

from __future__ import annotations

import re
from functools import lru_cache

from corpus.lexicon import is_known
from rag.lexical import STOP_WORDS

_ADDRESS = re.compile(r"\S*(?:://|www\.|\w@\w)\S+")
_TOKEN = re.compile(r"\d+(?:er|re|e|ème)?\b|[^\W\d_]+(?:\.[^\W\d_])*|[^\w\s]|\d+|_")
_JOINED_NAME = re.compile(r"(?:[A-ZÀ-Ý][a-zà-ÿ]+){2,4}")  # TotalEnergies, ProBonoLab
_ONE_LETTER_WORDS = frozenset("aàyôcdjlmnst")  # elisions included: « l », « d » are cut from their apostrophe
_USUAL_SIGNS = frozenset("'’.,;:!?…()«»\"%€&/-–—+*•>[]")


@lru_cache(maxsize=100_000)
def legibility(text: str) -> float:
    """Share of the letters that stand in French words, 0 to 1; names count as words, stray letters and signs against it.

    Addresses are left out; a text without any word, such as an address alone, is 1."""
    good = bad = 0
    for token in _TOKEN.findall(_ADDRESS.sub(" ", text)):
        if not token[0].isalpha():
            bad += token not in _USUAL_SIGNS and not token[0].isdigit()
        elif len(token) == 1:
            bad += token.lower() not in _ONE_LETTER_WORDS
            good += token.lower() in _ONE_LETTER_WORDS
        elif (
            is_known(token)
            or (token[0].isupper() and (token[1:].islower() or token.isupper()) and len(token) > 3)
            or _JOINED_NAME.fullmatch(token)
        ):
            good += len(token)
        else:
            bad += len(token)
    return good / (good + bad) if good + bad else 1.0


_SIGNS = frozenset("-–—:;,.&%€/+»«!?…()[]")
SCRAP = 4  # letters up to which a word that nobody knows is what OCR saw in a drawing


def without_scraps(cell: str) -> str:
    """A drawing's label without the signs and letters that OCR saw around it: « I | ti Innovation de service : o » →
    « Innovation de service »; unchanged where every word is French."""
    if legibility(cell) == 1:
        return cell
    kept = [token for token in cell.split() if _reads(token)]
    while kept and kept[0] in _SIGNS:
        kept.pop(0)
    while kept and kept[-1] in _SIGNS:
        kept.pop()
    return " ".join(kept)


def _reads(token: str) -> bool:
    core = token.strip("'’\"()[].,:;!?…«»%€")
    if not core:
        return set(token) <= _SIGNS
    if not core[0].isalnum():
        return False
    if len(core) == 1:
        return core.isdigit() or core.lower() in "aày"
    if len(core) == 2 and core.isalpha():
        return core.isupper() or core.lower() in STOP_WORDS
    return not core.isalpha() or len(core) > SCRAP or core.isupper() or is_known(core)
