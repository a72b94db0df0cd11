"""The parts of a question: what who asks says of themselves, and the several things that one sentence may ask.

« Combien d'innovations le Fonds a-t-il soutenues, et que fera-t-il en 2025 ? » asks two things that stand on two pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer import Turn
from rag.condense import condense, leans
from rag.lexical import STOP_WORDS, words

MOST = 3  # things asked at once; beyond, the question is searched as a whole
# Content words of a part; one is enough for a first that ends with a stop, or that a pronoun takes up.
LEAST_FIRST, LEAST_NEXT = 2, 1
_ASKS = (
    r"(?:qui|que|qu['’]\w+|quoi|quand|où|combien|comment|pourquoi|lesquel(?:le)?s|"
    r"quel(?:le)?s?|est-ce que)\b"
)
_NEXT = re.compile(
    rf"(?:[?!.]\s+(?:et\s+)?|\s*[,;]?\s+(?:et|puis)\s+)(?=(?:(?:à|de|d['’]|pour|avec|par|dans|en|sur|depuis|selon)\s*)?{_ASKS})|"
    rf",?\s+et\s+(?=(?:il|elle|ils|elles|on|ça|cela|c['’]est)\b[^,;.?!]{{3,60}}\b{_ASKS})",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"(?:il|elle|ils|elles|ça|cela)\b", re.IGNORECASE)
AFTERTHOUGHT = 2  # content words of what is said of oneself after a question
LEAST_ASKED = 3  # content words of a question that stands without what comes before it
_SELF = re.compile(r"\b(?:je|j['’]\w+|nous|notre|nos|on|mon|ma|mes)\b", re.IGNORECASE)
_OUR_SIZE = re.compile(  # « pour notre métropole de 600 000 habitants »
    r"\b(?:notre|nos|mon|ma)\s[\w' -]{3,30}?\sd[e'’]\s?(\d[\d\s.]*\s(?:habitant|salarié|agent|adhérent|bénévole|membre|personne)\w*)",
    re.IGNORECASE,
)
_AS = re.compile(
    r"(?!pour (?:une?|chaque)\b)[^,:.?!]{3,60},\s+(?=(?:je|j['’]\w+|nous|on)\b)|"
    r"(?:on est|on a|je suis|je dirige|je travaille|j['’]ai|nous sommes|nous avons)\b[^,:.?!]{3,80},\s+|(?:en tant que?|comme|étant|pour (?:mon|ma|mes|notre|nos)|dans (?:mon|ma|notre|nos))\b[^,:.?!]*[,:]\s+",
    re.IGNORECASE,
)
_AFTER = re.compile(r",\s*(?:(?:parce que|car|vu que) )?(?:je|j['’]|on|nous)\b[^,?]{3,60}[?.!\s]*$", re.IGNORECASE)
_CLAUSE = re.compile(r"[.:;!?]\s+")
_ASKING = re.compile(rf"\b{_ASKS}|\?|-(?:t-)?(?:il|elle|on|ils|elles|vous|nous)\b", re.IGNORECASE)


def parts(question: str) -> tuple[str, ...]:
    """The questions that a standalone question is made of, each standing by itself; one where it asks one thing."""
    cut = _NEXT.split(question)
    first = cut[0]
    alone = question[len(first) : len(first) + 1] in "?!." or _PRONOUN.match(cut[-1])
    least = 1 if alone else LEAST_FIRST
    if not 1 < len(cut) <= MOST or len(_content(first)) < least or not re.search(_ASKS, first, re.IGNORECASE):
        return (question,)
    if any(len(_content(part)) < LEAST_NEXT for part in cut[1:]):
        return (question,)
    asked: list[str] = []
    for part in cut:
        asked.append(_standing(part.strip(), asked))
    return tuple(asked)


def _standing(part: str, before: Sequence[str]) -> str:
    return condense(part, [Turn(role="user", content=text) for text in before], implied=False)


def preamble(question: str) -> frozenset[str]:
    """Folded words in which who asks only says who they are (« Je suis maire d'une petite commune : … »): they aren't looked
    for as the question's own are."""
    size = _OUR_SIZE.search(question)
    own = frozenset(_content(size[1])) if size else frozenset()
    opening = _AS.match(question)
    ends = [match.end() for match in _CLAUSE.finditer(question)] + ([opening.end()] if opening else [])
    for end in sorted(ends, reverse=True):
        said, asked = question[:end], question[end:]
        content = _content(asked)
        if (
            len(content) >= LEAST_ASKED
            and not leans(asked)
            and (opening or (_SELF.search(said) and _ASKING.search(asked)))
        ):
            return own | frozenset(_content(said)) - frozenset(content)
    return own


def afterthought(question: str) -> str:
    """What who asks adds of themselves in a few words after the question (« ODD, ça veut dire quoi, *je débute* »), or ""."""
    after = _AFTER.search(question)
    if after is None:
        return ""
    before, said = question[: after.start()], after[0]
    if not re.search(_ASKS, before, re.IGNORECASE) or re.search(_ASKS, said, re.IGNORECASE):
        return ""
    return said if _content(before) and len(_content(said)) <= AFTERTHOUGHT else ""


def _content(text: str) -> list[str]:
    return [word for word in words(text) if word not in STOP_WORDS]
