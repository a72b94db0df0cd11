"""How easy a French text is to read: Kandel & Moles (1958), Flesch's formula fitted to French; 0 hard … 100 easy."""

from __future__ import annotations

import re

from corpus.sentences import split_sentences
from evals.matching import fold

_WORD = re.compile(r"[a-z]+")
_CALL = re.compile(r"\[\d+\]")
_VOWELS = re.compile(r"[aeiouy]+")


def syllables(word: str) -> int:
    """Of a folded word: groups of vowels, but for a final mute e."""
    count = len(_VOWELS.findall(word))
    if count > 1 and re.search(r"[^aeiouy](?:e|es|ent)$", word):
        count -= 1
    return max(count, 1)


def readability(text: str) -> float | None:
    """207 - 1.015 words a sentence - 73.6 syllables a word; None for a text without words."""
    text = _CALL.sub("", text)
    words = _WORD.findall(fold(text))
    sentences = [s for s in split_sentences(text) if _WORD.search(fold(text[s[0] : s[1]]))]
    if not words or not sentences:
        return None
    return 207 - 1.015 * len(words) / len(sentences) - 73.6 * sum(map(syllables, words)) / len(words)
