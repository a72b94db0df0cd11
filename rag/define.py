"""Whether a sentence defines what a question asks about, or spells out its acronym."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from rag.asked import Asked
from rag.lexical import fold, stem, tokenize, words

_DEFINES = re.compile(
    r"\b(?:est|sont|designe(?:nt)?|correspond(?:ent)?|signifie|se definit|consiste|se caracterise|fait reference|c'est)\b|\s:\s|\s[–—-]\s|\("
)
_COPULA = re.compile(
    r"\b(?:est|sont|designe(?:nt)?|correspond(?:ent)?|signifie|consiste|a pour (?:mission|vocation|objectif|but|objet)|"
    r"(?:a|ont) ete (?:cree|fonde|lance)e?s?|vise(?:nt)? a)\b"
)
_COMPLETES = re.compile(r"\b(?:du|de|des|d'|aux?|dans|pour|par|avec|sur|chez|selon)\s*(?:l[ae]s?\s|l')?[«\"\s]*$")
_QUOTED = re.compile(  # of a folded text
    r"[«\"“]\s?([^«»\"“”]{2,40}?)\s?[»\"”] (?:se situe|se trouve|est|sont|designe|signifie|correspond|veut dire|represente|:)"
)
NOT_OPENING = 0.4  # of the credit for a definition


def defines(text: str, asked: Asked) -> float:
    """How much of the question stands before the verb that defines; less where the sentence opens with something else
    (« En 2015, l'année où l'Agenda 2030 est signé… ») or isn't about the thing itself (« L'ODD 17 est… » of the Fonds ODD 17)."""
    folded = fold(text)
    if any(asked.thing & _subject(folded[: verb.start()], asked) for verb in _COPULA.finditer(folded)):
        return 1.0  # « Laboratoire d'alliances, Le RAMEAU est… »
    if any(asked.thing <= set(tokenize(told)) for told in _QUOTED.findall(folded)):
        return 1.0
    found = _DEFINES.search(folded)
    before = tokenize(folded[: found.start()]) if found else []
    opens = before[:1] and before[0] in asked.terms and asked.thing <= set(before)
    return (1.0 if opens else NOT_OPENING) * asked.coverage(frozenset(before))


def _subject(before: str, asked: Asked) -> set[str]:
    """The question's words right before a verb of a folded text (« En 2020, le Fonds ODD 17 »), none where they complete another (« la dotation du
    Fonds ODD 17 »)."""
    said = set(takewhile(asked.terms.__contains__, reversed(tokenize(before))))
    opens = [match.start() for match in re.finditer(r"\w+", before) if stem(match.group()) in asked.thing]
    return set() if opens and _COMPLETES.search(before[: opens[-1]]) else said


def expands(text: str, acronym: str) -> bool:
    """« Objectif de Développement Durable (ODD) », « ODD : objectif… »: initials in order beside the acronym."""
    folded = fold(text)
    letters = re.sub(r"\W", "", acronym)
    found = re.search(rf"(?:\(|\b){re.escape(acronym)}(?:\)|\b)", folded)
    if found is None:
        return False
    around = words(folded[: found.start()])[-12:], words(folded[found.end() :])[:12]
    return any(_has_initials(side, letters) for side in around)


def _has_initials(side: Sequence[str], letters: str) -> bool:
    rest = letters
    for word in side:
        if rest and word.startswith(rest[0]) and len(word) > 1:
            rest = rest[1:]
    return not rest
