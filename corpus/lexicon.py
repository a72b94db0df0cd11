"""French words: which exist (simplemma's dictionary, Barbaresi 2023) and how often they are used (wordfreq, Speer 2022).

wordfreq alone has met « modéle » and « interét » in the wild, and a dictionary alone doesn't know how rare a right word is: a
repair asks both. Both are loaded on the first call, in about half a second.
"""

from __future__ import annotations

import itertools
import unicodedata
from functools import lru_cache

RARE = 2e-8  # below this a form that no dictionary has is most often a misspelling
FREQUENT = 1e-6  # of running text: misspellings are rarer, but for those that a far more frequent right form explains
# What each letter may have been before OCR: accents are lost, and è and ê are read as é; none is ever gained otherwise.
ORIGINS = {
    "a": "aàâ", "e": "eèêéë", "é": "éèê", "i": "iîï", "o": "oô", "u": "uùûü", "c": "cç", "y": "yÿ",
}  # fmt: skip
_PLAIN = str.maketrans(
    {letter: plain for plain, origins in ORIGINS.items() if plain.isascii() for letter in origins}
    | {"œ": "oe", "æ": "ae"}
)


def fold(word: str) -> str:
    """Lower case, no accents, œ as oe."""
    word = word.lower()
    if word.isascii() or (word := word.translate(_PLAIN)).isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


@lru_cache(maxsize=1)
def frequencies() -> dict[str, float]:
    import wordfreq

    return wordfreq.get_frequency_dict("fr", "large")


@lru_cache(maxsize=1)
def _accented() -> dict[str, list[str]]:
    forms: dict[str, list[str]] = {}
    for word, frequency in frequencies().items():
        if not word.isascii() and frequency >= RARE and word.isalpha():
            forms.setdefault(fold(word), []).append(word)
    return forms


def _of_fold(key: str) -> tuple[str, ...]:
    """Known words whose fold is `key`, the most frequent first."""
    accented = _accented().get(key, ())
    if not key.isascii() or not key.isalpha() or frequencies().get(key, 0.0) < RARE:
        return tuple(accented)
    return tuple(sorted((key, *accented), key=frequencies().__getitem__, reverse=True)) if accented else (key,)


def frequency(word: str) -> float:
    """Share of running French text that is this very form; 0 where it is unknown."""
    return frequencies().get(word.lower(), 0.0)


@lru_cache(maxsize=65536)
def in_dictionary(word: str) -> bool:
    """Whether the dictionary has this very form, accents included."""
    from simplemma import is_known as known

    return known(word.lower(), lang="fr")


@lru_cache(maxsize=65536)
def lemma(word: str) -> str:
    """The dictionary form of `word` (« mangera » gives « manger »), or the word itself."""
    from simplemma import lemmatize

    return lemmatize(word.lower(), lang="fr")


def is_right(word: str) -> bool:
    """Whether this very form is French: in the dictionary, or too frequent for a misspelling (it lacks adverbs)."""
    return in_dictionary(word) or frequency(word) >= FREQUENT


def forms(word: str) -> tuple[str, ...]:
    """Known forms that differ from `word` by accents only."""
    return _of_fold(fold(word))


def origins(word: str) -> tuple[str, ...]:
    """Known forms that OCR may have read as `word`: see ORIGINS."""
    lower = word.lower()
    found = []
    for form in forms(word):
        plain = form.replace("œ", "oe") if "oe" in lower else form
        if len(plain) == len(lower) and all(b in ORIGINS.get(a, a) for a, b in zip(lower, plain, strict=True)):
            found.append(form)
    return tuple(found)


def is_known(word: str) -> bool:
    """Whether the word, whatever its accents, is French."""
    return bool(forms(word))


def neighbours(word: str) -> set[str]:
    """Dictionary words at one letter from `word`, whatever their accents: one changed, one more, or two swapped."""
    plain = fold(word)
    letters = "abcdefghijklmnopqrstuvwxyz"
    splits = [(plain[:i], plain[i:]) for i in range(len(plain) + 1)]
    tried = itertools.chain(
        (a + c + b[1:] for a, b in splits if b for c in letters if c != b[0]),
        (a + c + b for a, b in splits for c in letters),
        (a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1),
    )
    return {form for key in tried for form in _of_fold(key) if is_right(form)}
