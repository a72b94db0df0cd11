"""Text-layer damage that makes a document unsearchable: what can be undone, and how much is left.

Fonts without a Unicode table give control signs for ligatures (« collec\\x1fvité »), glyph names (`/g12/g7`), private-use
bullets; typesetters give U+00A0 or \\x07 for every space. `mend` undoes what has one right answer, `ligatures` learns from
the whole document what a stray sign inside words stands for, `legibility` says what the result is worth.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

PRESENTATION = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ft", "ﬆ": "st"}  # U+FB00 to U+FB06
BULLETS = "\uf0b7\uf09f\uf0a7\uf0d8\uf0fc\uf076\uf0e0\uf0a8\uf06e\uf0be●▪■◆▶►‣⁃∙"  # Symbol, Wingdings and kin
CHARACTERS = str.maketrans(
    {
        **PRESENTATION,
        **dict.fromkeys(BULLETS, "•"),
        **dict.fromkeys("\u00a0\u202f\u2007\u2009\u2002\u2003\u2004\u2005\u2006\u2008\u200a\u3000\x07\t\v\f", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad\x00", ""),
        "\u02bc": "’",
    }
)
# Control signs pass for white space (\x1c to \x1f) or are dropped by string methods: they are shifted into a private area while
# a document is read, and what they stand for is learnt from the whole of it.
SHIFT = 0xE100
SHIFTED = {code: SHIFT + code for code in (*range(1, 7), 8, 9, *range(14, 32), *range(0x7F, 0xA0)) if code != 0x85}
_SIGNS = f"{chr(SHIFT + 1)}-{chr(SHIFT + 0x9F)}\ufffd@"
STRAY = re.compile(
    rf"(?<=[^\W\d_])([{_SIGNS}])(?=[^\W\d_]|[{_SIGNS}])|(?<=[{_SIGNS}])([{_SIGNS}])(?=[^\W\d_])|(?<![\w@])([{_SIGNS[:3]}])(?=[^\W\d_])"
)
WORD = re.compile(rf"[\w{_SIGNS}]+")
MAIL = re.compile(r"\S+@\S+\.\w{2,}")
CONTROLS = re.compile(rf"[\x01-\x06\x08\x0e-\x1f\x7f-\x9f{_SIGNS[:3]}]")
GLYPH_NAMES = re.compile(r"(?:/(?:g|uni|cid|glyph|c|G|C)\d+)+")
OTHER_NAMES = re.compile(
    r"(?:^|(?<=\s))(?:/[A-Za-z]\w{0,7}){2,}(?=\s|$)"
)  # « /sq/tri »: glyphs that their font names freely
CANDIDATES = (
    "ti",
    "tt",
    "fi",
    "ff",
    "fl",
    "ft",
    "tti",
    "ffi",
    "ffl",
    "st",
    "ct",
    "th",
    "tf",
    "fj",
    "œ",
    "é",
    "è",
    "à",
    "’",
)
FEWEST_WORDS = 3  # distinct words that must agree before a stray sign is replaced
AGREEMENT = 0.6  # share of them that must become French words


def mend(text: str) -> str:
    """Undo what has one right answer, whatever the document."""
    return text.translate(CHARACTERS)


def ligatures(texts: Iterable[str]) -> dict[str, str]:
    """Learn what each stray sign inside words stands for, from the words of a whole document and the French lexicon."""
    words: dict[str, Counter[str]] = {}
    for text in texts:
        if not STRAY.search(text):
            continue
        for word in WORD.findall(MAIL.sub(" ", text)):
            for sign in set(re.findall(f"[{_SIGNS}]", word)):
                if len(word) > 2:
                    words.setdefault(sign, Counter())[word.lower()] += 1
    found: dict[str, str] = {}
    # The most frequent sign first: words that hold two signs are judged once the first is known.
    for sign, seen in sorted(words.items(), key=lambda item: -len(item[1])):
        if len(seen) >= FEWEST_WORDS and (letters := _letters_for(sign, seen, found)):
            found[sign] = letters
    # Each font of a document has its own sign for a ligature: a rare one is most likely the same ligature again.
    for sign, seen in words.items():
        for letters in sorted(set(found.values())) if sign not in found and sign != "@" else ():
            if all(is_word(word.replace(sign, letters)) for word in seen):
                found[sign] = letters
                break
    return found


def apply_ligatures(text: str, table: Mapping[str, str]) -> str:
    """Put the learnt letters back, inside words only, and drop the control signs that remain."""

    def letters(match: re.Match[str]) -> str:
        return table.get(match.group(0), match.group(0))

    if not table:
        return CONTROLS.sub(" ", text)
    parts = re.split(f"({MAIL.pattern})", text)
    mended = [part if index % 2 else STRAY.sub(letters, part) for index, part in enumerate(parts)]
    return CONTROLS.sub(lambda match: table.get(match.group(0), " "), "".join(mended))


def legibility(text: str) -> float:
    """How much of `text` reads as words: 1 clean, 0 glyph names, control signs or glued letters."""
    dense = re.sub(r"\s+", "", text)
    if not dense:
        return 0.0
    lost = sum(len(match) for match in GLYPH_NAMES.findall(dense)) + len(CONTROLS.findall(dense)) + dense.count("�")
    lost += sum(len(match) for match in OTHER_NAMES.findall(text) if not GLYPH_NAMES.match(match))
    lost += sum(1 for char in dense if "\ue000" <= char <= "\uf8ff")
    score = max(0.0, 1.0 - 2.0 * lost / len(dense))
    words = [word for word in text.split() if "/" not in word and "." not in word.strip(".")]
    if words and sum(map(len, words)) / len(words) > 14:
        score *= 0.4
    marks = sum(1 for char in dense if not char.isalnum())
    if len(dense) >= 20 and marks / len(dense) > 0.4:
        score *= 0.6
    return round(score, 2)


def glued(text: str) -> bool:
    """Whether the spaces between words were lost (« WhatisEarthScience »)."""
    words = text.split()
    long = sum(len(word) for word in words if len(word) > 24 and word.isalpha())
    return long > 0.2 * max(1, sum(map(len, words)))


def _letters_for(sign: str, seen: Counter[str], known: Mapping[str, str]) -> str | None:
    def share(letters: str) -> float:
        good = 0
        for word in seen:
            candidate = word.replace(sign, letters)
            for other, value in known.items():
                candidate = candidate.replace(other, value)
            good += is_word(candidate)
        return good / len(seen)

    best = max(CANDIDATES, key=share)
    return best if share(best) >= AGREEMENT else None


@lru_cache(maxsize=65536)
def is_word(word: str) -> bool:
    """Whether French texts use `word` (wordfreq; loaded on the first call, about 0.2 s)."""
    from wordfreq import zipf_frequency

    return zipf_frequency(word, "fr") >= 1.5
