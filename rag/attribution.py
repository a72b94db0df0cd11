"""What a model is given to write from, numbered, and the quotes that what it wrote is tied to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.compose import WORTH, Draft, can_be_said
from rag.draft import DraftSentence, Quote, sentence
from rag.expect import Expectation
from rag.generation import Generation
from rag.lexical import stem, token_set, words
from rag.query import Query
from rag.verify import unsupported

CONTEXT_WORDS = 240  # of all that the model is given
MOST_SOURCES = 12
QUOTES = 2  # that may support one sentence
ENOUGH = 0.85  # share of a sentence's words beyond which another quote adds nothing
LEAST_WORDS, NEARLY_ALL = 3, 0.75  # of a sentence that was miscalled, and of them that one source must hold
ROOT = 4  # first letters by which two words are alike


@dataclass(frozen=True)
class Source:
    """What the model sees under one number: a sentence, or a list with what announces it."""

    parts: tuple[DraftSentence, ...]

    @property
    def text(self) -> str:
        return "\n".join(f"- {part.text}" if part.item else part.text for part in self.parts)


def sources(draft: Draft, asked: Query, expectation: Expectation, generation: Generation) -> list[Source]:
    """What the model may say, best first: the extractive answer, its lists whole, then other sentences that come near."""
    found = [Source(tuple(group)) for group in _grouped(draft.sentences)]
    known = {quote.text for source in found for part in source.parts for quote in part.quotes}
    left = CONTEXT_WORDS - sum(len(source.text.split()) for source in found)
    terms = frozenset(term.token for term in asked.terms)
    for candidate in draft.support:
        if candidate.score < draft.support[0].score - WORTH:
            break
        if candidate.whole_list or not can_be_said(candidate) or candidate.sentence.kind in ("title", "note"):
            continue
        said = sentence(candidate, None, terms, expectation, generation)
        left -= len(said.text.split())
        if left < 0 or len(found) >= MOST_SOURCES:
            break
        if said.quotes and not known & {quote.text for quote in said.quotes}:
            found.append(Source((said,)))
    return found


def _grouped(drafted: Sequence[DraftSentence]) -> Iterator[list[DraftSentence]]:
    """Sentences by what is said together: one alone, or a list with what announces it."""
    group: list[DraftSentence] = []
    for one in drafted:
        before = group[-1] if group else one
        follows = one.goes_on or (one.item and (before.item or before.goes_on or before.text.endswith(":")))
        if group and not follows:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def tie(text: str, cited: Sequence[Source], given: Sequence[Source]) -> DraftSentence:
    """The sentence with the quotes of `cited` that hold most of its words; where they don't support it, with the one sentence of
    `given` that does: a model that says the right thing often miscalls it. Without a quote where it says of one thing what is
    said of another."""
    tied = _tied(text, cited)
    if not tied.quotes or unsupported(tied):
        wanted = token_set(text)
        held = {part: len(wanted & _held(part)) for source in given for part in source.parts}
        best = max(held, key=held.__getitem__, default=None)
        if best is not None and len(wanted) >= LEAST_WORDS and held[best] >= NEARLY_ALL * len(wanted):
            tied = DraftSentence(text, best.quotes)
    return DraftSentence(text, ()) if _swapped(tied, given) else tied


def _swapped(tied: DraftSentence, given: Sequence[Source]) -> bool:
    """Whether a word that its quotes lack stands for one like it that they have, where the corpus uses both: « l'innovation sociale
    ajoute… », of a sentence on « l'innovation sociétale »."""
    quoted = set(words(_quoted(tied)))
    known = {stem(word) for word in quoted}
    elsewhere = {word for source in given for part in source.parts for word in words(_quoted(part))} - quoted
    lacking = {word for word in words(tied.text) if len(word) > ROOT and stem(word) not in known and word in elsewhere}
    return any(word[:ROOT] == other[:ROOT] for word in lacking for other in quoted)


def _tied(text: str, cited: Sequence[Source]) -> DraftSentence:
    wanted, covered = token_set(text), frozenset[str]()
    quotes: list[Quote] = []
    left = [part for source in cited for part in source.parts]
    most = max((len(source.parts) for source in cited), default=0)  # a whole list is said with all its items
    while left and len(quotes) < max(QUOTES, most) and len(covered) < ENOUGH * len(wanted):
        missing = wanted - covered
        best = max(left, key=lambda part: len(missing & _held(part)))
        new = missing & _held(best)
        if not new:
            break
        quotes += best.quotes
        covered |= new
        left.remove(best)
    return DraftSentence(text, tuple(dict.fromkeys(quotes)))


def _quoted(part: DraftSentence) -> str:
    return " ".join(quote.text for quote in part.quotes)


def _held(part: DraftSentence) -> frozenset[str]:
    return token_set(_quoted(part))
