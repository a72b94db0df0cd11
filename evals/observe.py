"""One question asked: the answer, the passages, where its evidence stands, and every metric. One line of a run."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from pydantic import BaseModel, ConfigDict

from corpus.errors import BoussoleError
from evals import probe, ranking
from evals.anchors import Anchor, PageBook, Spot, anchor, gold
from evals.chunkbook import ChunkBook
from evals.metrics import Case, values
from evals.questions import Question
from evals.trace import listening
from rag import abstain
from rag.answer import Answer, Passage
from rag.assistant import Assistant

DEPTH = 20  # passages kept of each question: the recall curve is drawn up to here


class Shown(BaseModel):
    """A passage of a run: which, and where."""

    model_config = ConfigDict(frozen=True)

    key: str
    document_id: str
    page: int
    page_end: int
    score: float


class Line(BaseModel):
    """One question of a run, with all that a later comparison needs."""

    model_config = ConfigDict(frozen=True)

    id: str
    fingerprint: str  # of the reference: compared only with the same
    question: Question
    anchors: tuple[Anchor, ...]
    gold: tuple[Spot, ...]
    answer: Answer | None
    passages: tuple[Shown, ...]
    signals: tuple[float, ...] | None  # None: refused, or a reply without retrieval
    probability: float | None
    values: dict[str, float]
    error: str | None = None

    @property
    def documents(self) -> tuple[str, ...]:
        """The documents that a right answer rests on."""
        return tuple(dict.fromkeys(spot[0] for spot in self.gold))


@dataclass(frozen=True)
class Observer:
    """An assistant with the page and chunk texts of its corpus, read once."""

    assistant: Assistant
    book: PageBook
    chunks: ChunkBook

    @classmethod
    def of(cls, assistant: Assistant) -> Observer:
        return cls(assistant, PageBook.of(assistant), ChunkBook.of(assistant.generation))

    def observe(self, question: Question) -> Line:
        """Ask, search, measure. A failure of the assistant is kept as the line's `error`, and counts as the worst."""
        anchors = anchor(question, self.book)
        spots = gold(question, anchors, self.book)
        answer: Answer | None = None
        passages: tuple[Passage, ...] = ()
        error = None
        with listening() as weighed:
            try:
                answer = self.assistant.ask(question.question, question.history)
                if answer.status != "refused":
                    passages = self.assistant.search(answer.standalone_question, DEPTH).passages
            except (BoussoleError, ValueError, LookupError, TypeError, AttributeError, RuntimeError) as failure:
                error = f"{type(failure).__name__} : {failure}"
        signals = weighed.last()
        figures = self._figures(question, anchors, spots, passages, answer)
        if question.answerable and spots and weighed.found:
            figures |= ranking.signal_figures(weighed.found[0], spots)
        case = Case(question, spots, answer, self.book, figures)
        return Line(
            id=question.id,
            fingerprint=question.fingerprint,
            question=question,
            anchors=anchors,
            gold=tuple(sorted(spots)),
            answer=answer,
            passages=tuple(_shown(p) for p in passages),
            signals=astuple(signals) if signals else None,
            probability=abstain.probability(signals) if signals else None,
            values=values(case),
            error=error,
        )

    def _figures(
        self,
        question: Question,
        anchors: tuple[Anchor, ...],
        spots: frozenset[Spot],
        passages: tuple[Passage, ...],
        answer: Answer | None,
    ) -> dict[str, float]:
        figures: dict[str, float] = {}
        if question.answerable and spots:
            figures |= ranking.page_figures(passages, spots)
            if relevant := self.chunks.relevant(anchors):
                figures |= ranking.passage_figures(self.chunks.unfolded(passages), relevant)
        if (kept := self.chunks.keeps(anchors)) is not None:
            figures["evidence_indexed"] = kept
        if answer is not None and answer.status == "answered" and (share := probe.rejected(answer)) is not None:
            figures["falsified_rejected"] = share
        return figures


def _shown(passage: Passage) -> Shown:
    return Shown(
        key=ranking.passage_key(passage.document_id, passage.text),
        document_id=passage.document_id,
        page=passage.page,
        page_end=passage.page_end,
        score=passage.score,
    )
