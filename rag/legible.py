"""How well a sentence reads: what diagrams and bad OCR leave (« Ca-construlsans demain todls ») is no answer."""

from __future__ import annotations

import re
from functools import lru_cache

from corpus.lexicon import is_known

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
