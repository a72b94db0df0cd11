"""The verifier, the same behind both composers: a sentence stays only if its quotes support it.

Every number, date, percentage, proper name and address of a sentence must stand in a quote that it cites.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.draft import DraftSentence
from rag.expect import NUMBER_WORDS
from rag.lexical import STOP_WORDS, fold, stem, words
from rag.spans import span

NUMBER = re.compile(r"\d[\d   \u202f\u00a0]*(?:[.,]\d+)?")
_URL = re.compile(r"(?:https?://|www\.)\S+|\b[\w.-]+\.(?:fr|org|com|net|eu)\b\S*")
_NAME = re.compile(r"(?<!^)(?<![.!?:»«]\s)\b[A-ZÉÈÀÂÎÔÛ][\w’'-]{2,}")
SHARED_WORDS = 0.7  # of a sentence's content words that must stand in its quotes
VARIED = 0.5  # share of distinct words below which a sentence goes round in circles
NEAR_SAID, NEAR_QUOTED = 4, 8  # words around a number, in the sentence and in the quote, of which one must be the same
_DONE = re.compile(r"\b(?:a|ont|est|sont|fut|furent|avait|avaient)\s+(?:été\s+)?(\w+(?:é|i|u|is|it)e?s?)\b")
_NEGATION = re.compile(r"\b(?:n['e]|ne|non|aucune?|jamais|sans|ni)\b|\bpas\b")
# What judges: a quote that tells an effect doesn't say that it is good, or great.
_JUDGING = frozenset(
    map(
        stem,
        """
        positif positive negatif negative favorable defavorable benefique nefaste important importante majeur majeure significatif
        significative considerable excellent excellente mauvais mauvaise efficace inefficace essentiel essentielle crucial cruciale
        """.split(),
    )
)
_SPELLED = {**NUMBER_WORDS, "trente": 30, "quarante": 40, "cinquante": 50, "cent": 100, "mille": 1000}


def numbers(text: str) -> set[str]:
    """The numbers of a text, spaces dropped and commas as points: « 1 200 » → 1200, « 1,5 » → 1.5."""
    found = (re.sub(r"\s", "", n).replace(",", ".") for n in NUMBER.findall(re.sub(r"\[\d+(?:, ?\d+)*\]", " ", text)))
    return {n for n in found if n}


def unsupported(sentence: DraftSentence) -> list[str]:
    """What a sentence says that its quotes don't: numbers, addresses, names; « … » where the words themselves differ."""
    cited = " ".join(quote.text for quote in sentence.quotes)
    missing = sorted(numbers(sentence.text) - numbers(cited))
    missing += _misplaced(sentence.text, cited)
    missing += _done_by_another(sentence.text, cited)
    said, quoted = set(words(sentence.text)), set(words(cited))
    missing += [word for word in said & _SPELLED.keys() if word not in quoted and str(_SPELLED[word]) not in quoted]
    if _NEGATION.search(fold(sentence.text)) and not _NEGATION.search(fold(cited)):
        missing.append("négation")
    folded = fold(cited)
    missing += [url for url in _URL.findall(sentence.text) if fold(url).rstrip(".,;)") not in folded]
    known = set(words(cited))
    missing += [name for name in _NAME.findall(sentence.text) if not set(words(name)) <= known | STOP_WORDS]
    content = [stem(w) for w in words(sentence.text) if w not in STOP_WORDS]
    stems = {stem(w) for w in known}
    distinct = set(content)
    missing += sorted(distinct & _JUDGING - stems)
    if content and (len(distinct & stems) / len(distinct) < SHARED_WORDS or len(distinct) / len(content) < VARIED):
        missing.append("…")
    return missing


def _misplaced(said: str, cited: str) -> list[str]:
    """Numbers of a sentence that count something else in its quotes (« 660 communes » for « 660 projets »)."""
    spoken, quoted = words(said), words(cited)
    missing = []
    for place, word in enumerate(spoken):
        if not word[0].isdigit() or word not in quoted:
            continue
        around = _content(spoken[max(0, place - NEAR_SAID) : place + NEAR_SAID + 1])
        places = [i for i, other in enumerate(quoted) if other == word]
        near = set[str]().union(*(_content(quoted[max(0, i - NEAR_QUOTED) : i + NEAR_QUOTED + 1]) for i in places))
        if around and not around & near:
            missing.append(word)
    return missing


def _done_by_another(said: str, cited: str) -> list[str]:
    """Participles of a sentence whose subject stands nowhere near them in its quotes (« le forum a été diffusé », of a guide)."""
    quoted = words(cited)
    missing = []
    for match in _DONE.finditer(said):
        done = words(match.group(1))[-1]
        subject = _content(_nearest(words(said[: match.start()]), -NEAR_SAID))
        places = [i for i, other in enumerate(quoted) if stem(other) == stem(done)]
        near = set[str]().union(
            *(
                _content(_nearest(quoted[:i], -NEAR_SAID)) | _content(_nearest(quoted[i + 1 :], NEAR_SAID))
                for i in places
            )
        )
        if subject and places and not subject & near:
            missing.append(done)
    return missing


def _nearest(some: Sequence[str], count: int) -> list[str]:
    """The first content words, or the last where `count` is negative."""
    content = [word for word in some if word not in STOP_WORDS]
    return content[count:] if count < 0 else content[:count]


def _content(some: Sequence[str]) -> set[str]:
    return {stem(w) for w in some if w not in STOP_WORDS and not w[0].isdigit()}


@span
def verify(sentences: Sequence[DraftSentence]) -> tuple[list[DraftSentence], list[DraftSentence]]:
    """Sentences kept and sentences dropped."""
    kept: list[DraftSentence] = []
    dropped: list[DraftSentence] = []
    for sentence in sentences:
        ok = bool(sentence.quotes) and not unsupported(sentence)
        (kept if ok else dropped).append(sentence)
    return kept, dropped
