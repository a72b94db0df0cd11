"""Next questions that the corpus can answer, made from the headings near what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.generation import Generation
from rag.lexical import STOP_WORDS, fold, tokenize, words
from rag.retrieve import Found
from rag.select import Candidate

MOST = 3
CAPITALS = 3  # words with a capital, the first left out
_ASKS = re.compile(
    r"(?:comment|pourquoi|qui|quand|où|combien)\b", re.I
)  # « Pourquoi 33 % n’est pas une dépense perdue »
_THAT = re.compile(r"ce (?P<que>qu(?:e |i |['’]))", re.I)  # « Ce que la mission a laissé »
_NAMED = re.compile(r"(?:les?|la|l['’])(?=\W|(?<=['’]))", re.I)  # « L’ingénierie d’alliance »
_THIS = re.compile(r"\b(?:cet|cette|ces|ce (?!qu))\b")
_CAPITALS = re.compile(r"\s*[A-Z]{3,}$")
_INNER = re.compile(r"«\s*([^»]*?)\s*»")


def suggest(found: Found, generation: Generation, question: str, ranked: Sequence[Candidate]) -> tuple[str, ...]:
    """Up to three questions about headings of the found passages that the question didn't already name."""
    asked = set(tokenize(question))
    suggestions: dict[str, str] = {}
    for hit in found.hits:
        if not hit.chunk.section:
            continue
        heading = hit.chunk.section[-1].strip(" :.!…")
        tokens = set(tokenize(heading))
        if fold(generation.documents[hit.chunk.document_id].title) in fold(heading):
            continue  # a running head, or the document itself
        if (
            leans_on_its_page(heading)
            or is_row(heading)
            or len(tokens) < 2
            or len(heading) > 90
            or len(tokens & asked) / len(tokens) > 0.6
        ):
            continue
        suggestions.setdefault(fold(heading), as_question(heading))
        if len(suggestions) == MOST:
            break
    return tuple(suggestions.values())


def leans_on_its_page(heading: str) -> bool:
    """« À quoi sert cette liste ? », which nobody understands elsewhere."""
    return bool(_THIS.search(fold(heading)))


def is_row(heading: str) -> bool:
    """What a table's head left: « Modèle Richesses Financement Alliances », capitals and no small word between them."""
    capitals = sum(word[0].isupper() for word in heading.split()[1:])
    return capitals >= CAPITALS and not any(word in STOP_WORDS for word in words(heading))


def as_question(heading: str) -> str:
    """A question that the text under a heading answers."""
    if heading.endswith("?"):
        return heading
    if _ASKS.match(heading):
        return f"{heading} ?"
    if (that := _THAT.match(heading)) is not None:
        return f"Qu’est-ce {heading[that.start('que') :]} ?"
    if (named := _NAMED.match(heading)) is not None:
        first = (
            heading[0] if _CAPITALS.match(heading, named.end()) else heading[0].lower()
        )  # « Le RAMEAU » keeps its own
        return f"Que faut-il savoir sur {first}{heading[1:]} ?"
    return f"Que dit le corpus sur « {_inner(heading)} » ?"


def _inner(heading: str) -> str:
    """Quotation marks inside others, as French typography has them."""
    return _INNER.sub(r"“\1”", heading)
