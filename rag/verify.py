"""The verifier, the same behind both composers: a sentence stays only if its quotes support it.

Every number, date, percentage, proper name and address of a sentence must stand in a quote that it cites.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.compose import DraftSentence
from rag.lexical import STOP_WORDS, fold, stem, words

NUMBER = re.compile(r"\d[\d   \u202f\u00a0]*(?:[.,]\d+)?")
_URL = re.compile(r"(?:https?://|www\.)\S+|\b[\w.-]+\.(?:fr|org|com|net|eu)\b\S*")
_NAME = re.compile(r"(?<!^)(?<![.!?:»«]\s)\b[A-ZÉÈÀÂÎÔÛ][\w’'-]{2,}")
SHARED_WORDS = 0.5  # of a sentence's content words that must stand in its quotes


def numbers(text: str) -> set[str]:
    """The numbers of a text, spaces dropped and commas as points: « 1 200 » → 1200, « 1,5 » → 1.5."""
    found = (re.sub(r"\s", "", n).replace(",", ".") for n in NUMBER.findall(re.sub(r"\[\d+(?:, ?\d+)*\]", " ", text)))
    return {n for n in found if n}


def unsupported(sentence: DraftSentence) -> list[str]:
    """What a sentence says that its quotes don't: numbers, addresses, names; « … » where the words themselves differ."""
    cited = " ".join(quote.text for quote in sentence.quotes)
    missing = sorted(numbers(sentence.text) - numbers(cited))
    folded = fold(cited)
    missing += [url for url in _URL.findall(sentence.text) if fold(url).rstrip(".,;)") not in folded]
    known = set(words(cited))
    missing += [name for name in _NAME.findall(sentence.text) if not set(words(name)) <= known | STOP_WORDS]
    content = [stem(w) for w in words(sentence.text) if w not in STOP_WORDS]
    stems = {stem(w) for w in known}
    if content and sum(token in stems for token in content) / len(content) < SHARED_WORDS:
        missing.append("…")
    return missing


def verify(sentences: Sequence[DraftSentence]) -> tuple[list[DraftSentence], list[DraftSentence]]:
    """Sentences kept and sentences dropped."""
    kept: list[DraftSentence] = []
    dropped: list[DraftSentence] = []
    for sentence in sentences:
        ok = bool(sentence.quotes) and not unsupported(sentence)
        (kept if ok else dropped).append(sentence)
    return kept, dropped
