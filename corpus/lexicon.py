"""French words with their frequencies (wordfreq, Speer 2022), and the accented forms that share a folded form."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

RARE = 2e-8  # below this a form is most often a misspelling that wordfreq has met


def fold(word: str) -> str:
    """Lower case, no accents, œ as oe."""
    word = word.lower().replace("œ", "oe").replace("æ", "ae")
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


@lru_cache(maxsize=1)
def frequencies() -> dict[str, float]:
    import wordfreq

    return wordfreq.get_frequency_dict("fr", "large")


@lru_cache(maxsize=1)
def _by_fold() -> dict[str, tuple[str, ...]]:
    forms: dict[str, list[str]] = {}
    for word, frequency in frequencies().items():
        if frequency >= RARE and word.isalpha():
            forms.setdefault(fold(word), []).append(word)
    return {key: tuple(words) for key, words in forms.items()}


def frequency(word: str) -> float:
    """Share of running French text that is this very form; 0 where it is unknown."""
    return frequencies().get(word.lower(), 0.0)


def forms(word: str) -> tuple[str, ...]:
    """Known forms that differ from `word` by accents only."""
    return _by_fold().get(fold(word), ())


def is_known(word: str) -> bool:
    """Whether the word, whatever its accents, is French."""
    return bool(forms(word))
