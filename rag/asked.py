"""A question's words for the choice of sentences: what each weighs, and what a sentence says of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from rag.focus import focus
from rag.generation import Generation
from rag.lexical import fold, tokenize
from rag.query import EXPANSION_WEIGHT, GLOSSARY, Query

_HOW_MANY = re.compile(r"\bcombien d(?:e |')")
_ONE_PERSON = re.compile(r"\bqui (?:est|etait|c'est)\b|\bc'est qui\b")
_ASKS_STEPS = re.compile(
    r"\bcomment .{0,40}\b(?:commenc|cree|monte|lanc|reuss|construi|choisi|fai|s'y prend|deveni|obteni|rejoi|entre|formalis|participe|prepare|demarre)|\bpar ou commencer"
)
_WHO_DOES = re.compile(
    r"\bqui (?:(?:l'|les? |la )?(?:a |ont )?)(?!est\b|sont\b|etait\b|sera\b|peut\b|doit\b|a\b)([a-z]{4,})\b"
)
_BY_WHOM = re.compile(r"\b([a-z]{3,}?(?:e|it|is|u))(?:e|s|es)? par qui\b")
_WITH_WHOM = re.compile(
    r"\bavec (?:qui|quel(?:le)?s (?:partenaires?|acteurs?|structures?|organisations?))\b|\bquels partenaires\b"
)
ACRONYM = re.compile(r"\b[A-Z](?:&[A-Z]|[A-Z]{1,7})\b")


@dataclass(frozen=True)
class Asked:
    """The question: the thing it asks about, its own words with what each weighs, all that are searched for, its pairs of
    neighbouring content words, its acronyms and their names."""

    text: str
    thing: frozenset[str]
    weights: dict[str, float]
    terms: frozenset[str]
    names: Mapping[str, tuple[frozenset[str], ...]]
    pairs: frozenset[tuple[str, str]]
    acronyms: tuple[str, ...]
    named: frozenset[str] = frozenset()  # index tokens of the names it says

    @cached_property
    def how_many(self) -> bool:
        return bool(_HOW_MANY.search(fold(self.text)))

    @cached_property
    def one_person(self) -> bool:
        return bool(_ONE_PERSON.search(fold(self.text)))

    @cached_property
    def steps(self) -> bool:
        """Whether it asks how to do something: « Comment commencer une alliance ? »."""
        return bool(_ASKS_STEPS.search(fold(self.text)))

    @cached_property
    def done(self) -> str:
        """The verb of « qui finance… » or « financé par qui », folded; "" where nobody's doing is asked."""
        found = _WHO_DOES.search(fold(self.text)) or _BY_WHOM.search(fold(self.text))
        return found.group(1) if found else ""

    @cached_property
    def with_whom(self) -> bool:
        return bool(_WITH_WHOM.search(fold(self.text)))

    @classmethod
    def of(cls, query: Query, generation: Generation) -> Asked:
        thing = frozenset(focus(query.text, generation.lexical)[:1])
        # What an acronym stands for is looked for where it is what is asked about (« L'ODD 17, c'est quoi ? », not « le Fonds
        # ODD 17 »); elsewhere it only counts in its place.
        defined = bool(thing & query.names.keys())
        own = (term for term in query.terms if defined or term.weight != EXPANSION_WEIGHT)
        weights = {term.token: term.weight * generation.lexical.telling(term.word, term.name) for term in own}
        names = {} if defined else query.names
        known = {term.word for term in query.terms if term.word in GLOSSARY and term.weight == 1.0}
        written = {fold(word) for word in ACRONYM.findall(query.text)} if not query.text.isupper() else set()
        terms = frozenset(term.token for term in query.terms)
        named = frozenset(term.token for term in query.terms if term.name)
        return cls(
            query.text, thing, weights, terms, names, pairs_of(query.repaired), tuple(sorted(known | written)), named
        )

    def coverage(self, tokens: frozenset[str], beside: frozenset[str] = frozenset()) -> float:
        """Share of the question's weight whose words are among `tokens` and not among those `beside`; the name of an acronym
        stands for it."""
        total = sum(self.weights.values())
        new = (weight for t, weight in self.weights.items() if self._said(t, tokens) and not self._said(t, beside))
        return sum(new) / total if total else 0.0

    def _said(self, token: str, tokens: frozenset[str]) -> bool:
        return token in tokens or any(name <= tokens for name in self.names.get(token, ()))


def pairs_of(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairwise(tokenize(text)))
