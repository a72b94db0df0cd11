"""The façade: a question in, an answer with its proofs out. Who reads this file knows the product.

question + history ─condense─▶ query ─find─▶ passages ─compose─▶ draft ─verify─▶ Answer
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from corpus.errors import LLMError, UsageError
from rag import abstain, guard
from rag.answer import (
    Answer,
    Citation,
    DocumentInfo,
    Fallback,
    PageText,
    Passage,
    SearchResult,
    Sentence,
    Status,
    Timings,
    Turn,
)
from rag.attribution import sources
from rag.compose import Draft, DraftSentence, Quote, compose
from rag.condense import answered_before, condense, leans
from rag.embedding import Encoder, load_encoder
from rag.expect import Expectation, expect
from rag.generate import CutShort, Writer
from rag.generation import Generation
from rag.parts import parts
from rag.passages import RERANKED, join_neighbours, rerank, spread
from rag.retrieve import Found, Hit, HybridRetriever
from rag.settings import Settings
from rag.suggest import suggest
from rag.unmet import unmet
from rag.vectors import open_dense
from rag.verify import verify
from rag.written import echoes, repeats, stutters, unsaid

ABSTENTION = "Le corpus ne le dit pas : je n’ai trouvé aucun passage qui réponde à cette question."
_HALF = re.compile("[\ud800-\udfff]")
NEAREST = "Les pages les plus proches parlent de : {}."


@dataclass(frozen=True)
class TextEvent:
    """A verified piece of the answer's text, with its citation calls."""

    delta: str


@dataclass(frozen=True)
class CitationEvent:
    citation: Citation


@dataclass(frozen=True)
class DoneEvent:
    answer: Answer


Event = TextEvent | CitationEvent | DoneEvent


class Assistant:
    """Answers questions over one published generation. Threads may share it."""

    def __init__(self, settings: Settings, encoder: Encoder | None = None) -> None:
        """Open the published index. Raises IndexMissing, IndexMismatch, IndexDamaged, ConfigurationError."""
        self.settings = settings
        self.generation = Generation.open_published(settings.index)
        self.encoder = encoder or load_encoder(settings.model_copy(update={"embedding_model": self.generation.model}))
        self._dense = open_dense(self.generation, settings.chroma_url, settings.exact_limit)
        self._retriever = HybridRetriever(self.generation, self.encoder, self._dense)
        self._writer = Writer(settings) if settings.llm_base_url else None

    def close(self) -> None:
        self._dense.close()
        self.generation.close()

    # --- the corpus

    @property
    def documents(self) -> list[DocumentInfo]:
        return list(self.generation.documents.values())

    def page(self, document_id: str, number: int) -> PageText | None:
        return self.generation.page(document_id, number)

    def file(self, document_id: str) -> Path | None:
        return self.generation.file(document_id)

    # --- questions

    def search(self, query: str, k: int = 5, document_ids: Sequence[str] = ()) -> SearchResult:
        """The `k` best passages for a query, best first. Raises UsageError for an empty query or an unknown document."""
        started = time.perf_counter()
        self._check(query, document_ids)
        found = _merged(self._find_parts(query, max(2 * k, RERANKED), document_ids))
        passages = tuple(self._passages(found))[:k]
        elapsed = _ms(started)
        timings = Timings(retrieve=elapsed, first_text=elapsed, total=elapsed)
        return SearchResult(query=query, passages=passages, index_generation=self.generation.name, timings_ms=timings)

    def ask(self, question: str, history: Sequence[Turn] = (), document_ids: Sequence[str] = ()) -> Answer:
        """The whole answer. Raises UsageError for an empty or too long question, or an unknown document."""
        for event in self.stream(question, history, document_ids):
            if isinstance(event, DoneEvent):
                return event.answer
        raise AssertionError("a stream ends with DoneEvent")

    def stream(self, question: str, history: Sequence[Turn] = (), document_ids: Sequence[str] = ()) -> Iterator[Event]:
        """The answer as it comes: verified text and citations, then the whole Answer."""
        clock = _Clock()
        self._check(question, document_ids, history)
        if guard.refuses(question):
            yield from self._plain(question, question, "refused", guard.REFUSAL, clock)
            return
        if reply := guard.small_talk(question):
            yield from self._plain(question, question, "abstained", reply, clock)
            return
        standalone = self._standalone(guard.spelled_out(guard.without_markup(question)), history)
        clock.mark("condense")
        asked = self._find_parts(standalone, RERANKED, document_ids)
        expectation, found = replace(asked[0][0], told=answered_before(question, history)), _merged(asked)
        clock.mark("retrieve")
        draft = compose(found, expectation, self.generation, asked[1:])
        kept, _dropped = verify(draft.sentences)
        said = [sentence.text for sentence in kept]
        unsure = (
            not (self._answerable(asked, found, draft) or abstain.tells_publication(standalone, said))
            or abstain.takes_for_granted(standalone, " ".join(said))
            or all(unmet(f.query.text, e, said, self.generation.lexical) for e, f in asked[1:] or asked)
        )
        if not kept or unsure:
            suggestions = suggest(found, self.generation, standalone, draft.support)
            yield from self._plain(question, standalone, "abstained", self._abstention(found), clock, suggestions)
            return
        yield from self._answered(question, standalone, found, Draft(tuple(kept), draft.support), expectation, clock)

    def _answerable(self, asked: Sequence[tuple[Expectation, Found]], found: Found, draft: Draft) -> bool:
        """Whether the corpus probably answers the question or one of its parts."""
        founds = [(asked[0][0], found), *asked[1:]]
        # Where nothing was found there is no support for the parts either.
        supports = zip(founds, (draft.support, *draft.parts), strict=False)
        given = [(f.query.text, abstain.signals(f, s, e, self.generation)) for (e, f), s in supports]
        return any(
            not abstain.asks_why_of_the_unknown(q, s, self.generation.lexical)
            and abstain.probability(s) >= abstain.needed(s)
            for q, s in given
        )

    def _standalone(self, question: str, history: Sequence[Turn]) -> str:
        """By the rules, or in the model's words where there is one and they hold."""
        ruled = condense(question, history)
        if self._writer is None or not history or ruled == question or not leans(question):
            return ruled
        return self._writer.standalone(question, history, ruled)

    def _written(
        self, standalone: str, extractive: Draft, expectation: Expectation, found: Found, told: list[Fallback]
    ) -> Iterator[DraftSentence]:
        """The model's sentences that the verifier keeps, as they come, then what they leave unsaid of the extractive answer,
        more of it where the model was cut short; that answer alone where there is no model, or where nothing is left of what
        it wrote (`told` then says why)."""
        said: list[DraftSentence] = []
        cut = away = False
        if self._writer is not None:
            try:
                given = sources(extractive, found.query, expectation, self.generation)
                for sentence in self._writer.write(standalone, given):
                    kept, _ = verify([sentence])
                    spoilt = echoes(sentence, standalone) or stutters(sentence)
                    if kept and not spoilt and not any(repeats(sentence, s) for s in said):
                        said.append(sentence)
                        yield sentence
            except CutShort:
                cut = True
            except LLMError:
                cut = away = True
            if not said:
                told.append("llm_unavailable" if away else "llm_unverified")
        yield from extractive.sentences if not said else unsaid(extractive.sentences, said, expectation, cut)

    def _find_parts(self, text: str, k: int, document_ids: Sequence[str]) -> list[tuple[Expectation, Found]]:
        """What is found for the whole question, then for each of the several things that it asks."""
        several = parts(text)
        asked = [(expect(part), part) for part in (text, *(several if len(several) > 1 else ()))]
        self._retriever.encode_together([part for _, part in asked])
        return [(e, rerank(self._retriever.find(part, k, document_ids), e, self.generation)) for e, part in asked]

    # --- what is shown

    def _answered(
        self,
        question: str,
        standalone: str,
        found: Found,
        draft: Draft,
        expectation: Expectation,
        clock: _Clock,
    ) -> Iterator[Event]:
        citations: list[Citation] = []
        numbers: dict[tuple[str, int, int, int], int] = {}
        sentences: list[Sentence] = []
        text = ""
        before: DraftSentence | None = None
        told: list[Fallback] = []
        for drafted in self._written(standalone, draft, expectation, found, told):
            calls = []
            for quote in drafted.quotes:
                key = (quote.document_id, quote.page, quote.start, quote.end)
                if key not in numbers:
                    numbers[key] = len(citations) + 1
                    citations.append(self._citation(numbers[key], quote))
                    yield CitationEvent(citations[-1])
                calls.append(numbers[key])
            delta = _shown(drafted, calls, before)
            before = drafted
            text += delta
            clock.first_text()
            yield TextEvent(delta)
            sentences.append(Sentence(text=drafted.text, citations=tuple(calls)))
        yield DoneEvent(
            Answer(
                id=uuid.uuid4().hex,
                question=question,
                standalone_question=standalone,
                status="answered",
                answer=text,
                sentences=tuple(sentences),
                citations=tuple(citations),
                suggestions=suggest(found, self.generation, standalone, draft.support),
                synthesizer="llm" if self._writer and not told else "extractive",
                model=self._writer.model if self._writer and not told else None,
                fallback=told[0] if told else None,
                index_generation=self.generation.name,
                timings_ms=clock.timings(),
            )
        )

    def _plain(
        self,
        question: str,
        standalone: str,
        status: Status,
        text: str,
        clock: _Clock,
        suggestions: Sequence[str] = (),
    ) -> Iterator[Event]:
        clock.first_text()
        yield TextEvent(text)
        yield DoneEvent(
            Answer(
                id=uuid.uuid4().hex,
                question=question,
                standalone_question=standalone,
                status=status,
                answer=text,
                sentences=(Sentence(text=text),),
                suggestions=tuple(suggestions),
                index_generation=self.generation.name,
                timings_ms=clock.timings(),
            )
        )

    def _abstention(self, found: Found) -> str:
        titles = dict.fromkeys(self.generation.documents[hit.chunk.document_id].title for hit in found.hits[:3])
        return ABSTENTION if not titles else f"{ABSTENTION} {NEAREST.format(' ; '.join(f'« {t} »' for t in titles))}"

    def _citation(self, n: int, quote: Quote) -> Citation:
        document = self.generation.documents[quote.document_id]
        return Citation(
            n=n,
            document_id=quote.document_id,
            title=document.title,
            page=quote.page,
            page_label=self.generation.page_label(quote.document_id, quote.page),
            section=" › ".join(quote.section),
            quote=quote.text,
            score=quote.score,
            page_url=page_url(quote.document_id, quote.page),
            source_url=document.source_url,
        )

    def _passages(self, found: Found) -> Iterator[Passage]:
        best = found.hits[0].score if found.hits else 0.0
        for hits, score in spread(join_neighbours(found.hits)):
            hit = hits[0]
            document = self.generation.documents[hit.chunk.document_id]
            yield Passage(
                document_id=document.id,
                title=document.title,
                page=hit.chunk.page,
                page_end=hit.chunk.page_end,
                page_label=self.generation.page_label(document.id, hit.chunk.page),
                section=" › ".join(hit.chunk.section),
                kind=hit.chunk.kind,
                text="\n".join(h.chunk.text for h in sorted(hits, key=lambda h: h.chunk.ordinal)),
                score=_relative(score, best),
                page_url=page_url(document.id, hit.chunk.page),
                source_url=document.source_url,
            )

    def _check(self, question: str, document_ids: Sequence[str], history: Sequence[Turn] = ()) -> None:
        # Half a character, from a terminal in another encoding: no answer that repeats it could be written down.
        if any(_HALF.search(text) for text in (question, *(turn.content for turn in history))):
            raise UsageError(
                "La question ou la conversation contient des caractères illisibles. Envoyez du texte en UTF-8.",
                code="not_unicode",
            )
        if not question.strip():
            raise UsageError("La question est vide. Écrivez votre question.", code="empty_question")
        if len(question) > self.settings.max_question:
            raise UsageError(
                f"La question est trop longue ({len(question)} caractères, {self.settings.max_question} au plus). Raccourcissez-la.",
                code="question_too_long",
            )
        for document_id in document_ids:
            if document_id not in self.generation.documents:
                raise UsageError(
                    f"Document inconnu : « {document_id} ». La liste est donnée par : boussole corpus list",
                    code="unknown_document",
                )


def _merged(asked: Sequence[tuple[Expectation, Found]]) -> Found:
    """The hits of the whole question and of its parts, each with its best score, best first."""
    whole = asked[0][1]
    best: dict[int, Hit] = {}
    for _, found in asked:
        for hit in found.hits:
            known = best.setdefault(hit.row, hit)
            if hit.score > known.score:
                best[hit.row] = replace(known, score=hit.score)
    return replace(whole, hits=tuple(sorted(best.values(), key=lambda hit: -hit.score)))


def page_url(document_id: str, page: int) -> str:
    return f"/v1/documents/{document_id}/pages/{page}"


def _shown(sentence: DraftSentence, calls: Sequence[int], before: DraftSentence | None) -> str:
    """A sentence as Markdown, with its calls: an item on its own line, else after a space; text after a list apart."""
    numbers = "".join(f"[{n}]" for n in calls)
    if sentence.item:
        return f"{chr(10) if before else ''}- {sentence.text} {numbers}"
    gap = "" if before is None else "\n\n" if (before.item or before.goes_on) and not sentence.goes_on else " "
    return f"{gap}{sentence.text} {numbers}"


def _relative(score: float, best: float) -> float:
    """Scores are sums of standard deviations: shown from 1 for the best, halved every two deviations below it."""
    return round(0.5 ** ((best - score) / 2), 4)


def _ms(since: float) -> float:
    return round((time.perf_counter() - since) * 1000, 2)


class _Clock:
    """Milliseconds of each stage of one answer."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._stages = {"condense": 0.0, "retrieve": 0.0}
        self._first: float | None = None

    def mark(self, stage: str) -> None:
        now = time.perf_counter()
        self._stages[stage] = round((now - self._last) * 1000, 2)
        self._last = now

    def first_text(self) -> None:
        if self._first is None:
            self._first = _ms(self._start)

    def timings(self) -> Timings:
        return Timings(**self._stages, first_text=self._first or 0.0, total=_ms(self._start))
