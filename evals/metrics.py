"""What is measured. A metric is a value: name, what it says in French, how it is summed up, the paper it comes from.

Each gives one figure a question first (None where it doesn't apply), then their mean or percentile; a question on which
the assistant failed counts as the worst, never as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from evals.anchors import PageBook, Spot
from evals.matching import fold, holds_fact, numbers, squash
from evals.questions import Question
from evals.readability import readability
from rag.answer import Answer

Summary = Literal["mean", "median", "p95"]


@dataclass(frozen=True)
class Case:
    """One question with what came of it. `answer` is None where the assistant failed; `figures` come from ranking."""

    question: Question
    gold: frozenset[Spot]
    answer: Answer | None
    book: PageBook
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        return self.answer is not None and self.answer.status == "answered"

    @property
    def text(self) -> str:
        return self.answer.answer if self.answer is not None and self.answered else ""

    @property
    def corrected(self) -> bool:
        """A false premise answered with what corrects it."""
        facts = self.question.facts
        return self.question.kind == "false_premise" and any(holds_fact(self.text, variants) for variants in facts)


@dataclass(frozen=True)
class Metric:
    name: str
    label: str
    of: Callable[[Case], float | None]
    higher_is_better: bool | None = True  # None: neither
    summary: Summary = "mean"
    worst: float | None = 0.0  # of a question on which the assistant failed; None: it has no such figure
    unit: str = ""  # "" for a share
    paper: str | None = None
    compared: bool = False  # a change of it is tested by `evals compare`

    def value(self, case: Case) -> float | None:
        if case.answer is None:
            return self.worst if self._applies(case) else None
        found = self.of(case)
        return None if found is None else float(found)

    def _applies(self, case: Case) -> bool:
        """Whether it is asked of this question; a metric of answers alone applies to all."""
        return self.name in case.figures or self.name in _OF_ANSWERS or self.of(case) is not None


def _ranked(name: str) -> Callable[[Case], float | None]:
    return lambda case: case.figures.get(name)


def _facts(case: Case) -> float | None:
    facts = case.question.facts
    if not case.question.answerable or not facts:
        return None
    return sum(holds_fact(case.text, variants) for variants in facts) / len(facts)


def _follow_up(case: Case) -> float | None:
    return _facts(case) if case.question.history else None


def _cited(case: Case) -> set[Spot]:
    return {(c.document_id, c.page) for c in case.answer.citations} if case.answer is not None else set()


def _cited_page(case: Case) -> float | None:
    return float(bool(case.gold & _cited(case))) if case.question.answerable and case.gold else None


def _citation_recall(case: Case) -> float | None:
    return len(case.gold & _cited(case)) / len(case.gold) if case.question.answerable and case.gold else None


def _citation_precision(case: Case) -> float | None:
    if not case.question.answerable or not case.gold or not case.answered or case.answer is None:
        return None
    calls = case.answer.citations
    return sum((c.document_id, c.page) in case.gold for c in calls) / len(calls) if calls else 0.0


def _verbatim(case: Case) -> float | None:
    """Quotes that are a substring of their page, as the contract wants them."""
    if not case.answered or case.answer is None or not case.answer.citations:
        return None
    quotes = case.answer.citations
    found = [bool(c.quote.strip()) and c.quote in case.book.texts.get((c.document_id, c.page), "") for c in quotes]
    return sum(found) / len(found)


def _sentence_cited(case: Case) -> float | None:
    if not case.answered or case.answer is None:
        return None
    known = {c.n for c in case.answer.citations}
    sentences = case.answer.sentences
    return (
        sum(bool(s.citations) and set(s.citations) <= known for s in sentences) / len(sentences) if sentences else 0.0
    )


def _unsupported_numbers(case: Case) -> float | None:
    """Numbers of the answer that stand in no cited quote."""
    if not case.answered or case.answer is None:
        return None
    # quote by quote: a number that ends one and a number that begins the next are not one number
    known = set().union(*(numbers(c.quote) for c in case.answer.citations))
    return float(len(numbers(case.text) - known))


def _words_supported(case: Case) -> float | None:
    """Share of each sentence's words that stand in the quotes that it cites."""
    if not case.answered or case.answer is None:
        return None
    quotes = {c.n: squash(c.quote) for c in case.answer.citations}
    said = supported = 0
    for sentence in case.answer.sentences:
        cited = "".join(quotes.get(n, "") for n in sentence.citations)
        words = [w for w in map(squash, fold(sentence.text).split()) if len(w) > 3]
        said += len(words)
        supported += sum(word in cited for word in words)
    return supported / said if said else 1.0


def _answered(case: Case) -> float | None:
    return float(case.answered) if case.question.answerable else None


def _abstained(case: Case) -> float | None:
    return float(not case.answered or case.corrected) if not case.question.answerable else None


def _abstention_precision(case: Case) -> float | None:
    return None if case.answer is None or case.answered else float(not case.question.answerable)


def _verdict(case: Case) -> float:
    return float(case.answered == case.question.answerable or case.corrected)


def _words(case: Case) -> float | None:
    return float(len(case.text.split())) if case.answered else None


def _readability(case: Case) -> float | None:
    return readability(case.text) if case.answered else None


def _first_text(case: Case) -> float | None:
    return (case.answer.timings_ms.first_text or case.answer.timings_ms.total) if case.answer else None


def _total(case: Case) -> float | None:
    return case.answer.timings_ms.total if case.answer else None


_NDCG = "Järvelin & Kekäläinen, Cumulated gain-based evaluation of IR techniques, TOIS 2002"
_RR = "Kantor & Voorhees, The TREC-5 Confusion Track, Information Retrieval 2000"
_ALCE = "Gao et al., Enabling Large Language Models to Generate Text with Citations (ALCE), EMNLP 2023"
_NUGGETS = "Voorhees, Overview of the TREC 2003 Question Answering Track (nuggets)"
_SELECTIVE = "El-Yaniv & Wiener, On the Foundations of Noise-free Selective Classification, JMLR 2010"
_KANDEL = "Kandel & Moles, Application de l'indice de Flesch à la langue française, 1958"


def _retrieval(name: str, label: str, paper: str | None = None, *, compared: bool = False) -> Metric:
    return Metric(name, label, _ranked(name), paper=paper, compared=compared)


METRICS: tuple[Metric, ...] = (
    _retrieval("R@1", "pages de la preuve retrouvées, 1re page"),
    _retrieval("R@3", "pages de la preuve retrouvées, 3 premières pages"),
    _retrieval("R@5", "pages de la preuve retrouvées, 5 premières pages", compared=True),
    _retrieval("R@10", "pages de la preuve retrouvées, 10 premières pages"),
    _retrieval("R@20", "pages de la preuve retrouvées, 20 premières pages"),
    _retrieval("Success@1", "une page de la preuve en premier"),
    _retrieval("Success@5", "une page de la preuve parmi les 5 premières"),
    _retrieval("RR@10", "inverse du rang de la première bonne page", _RR),
    _retrieval("nDCG@10", "gain cumulé des 10 premières pages", _NDCG, compared=True),
    _retrieval("passage:R@5", "passages de la preuve retrouvés, 5 premiers"),
    _retrieval("passage:RR@10", "inverse du rang du premier bon passage", _RR),
    _retrieval("passage:nDCG@10", "gain cumulé des 10 premiers passages", _NDCG),
    _retrieval("signal:lexical", "bonne page trouvée par les mots seuls", _RR, compared=True),
    _retrieval("signal:dense", "bonne page trouvée par le sens seul", _RR, compared=True),
    _retrieval("signal:late", "bonne page trouvée par le sens mot à mot", _RR, compared=True),
    Metric(
        "evidence_indexed",
        "preuves des pages présentes dans les passages de l'index",
        _ranked("evidence_indexed"),
        worst=None,  # a failure of the assistant says nothing of the index
        compared=True,
    ),
    Metric("facts", "faits attendus présents dans la réponse", _facts, paper=_NUGGETS, compared=True),
    Metric("followup_facts", "faits attendus, questions de suite", _follow_up, paper=_NUGGETS),
    Metric("cited_page", "réponses qui citent une page de la preuve", _cited_page, compared=True),
    Metric("citation_precision", "citations qui sont sur une page de la preuve", _citation_precision, paper=_ALCE),
    Metric("citation_recall", "pages de la preuve qui sont citées", _citation_recall, paper=_ALCE),
    Metric("verbatim", "citations mot pour mot sur leur page", _verbatim, compared=True),
    Metric("sentence_cited", "phrases qui ont une citation", _sentence_cited, compared=True),
    Metric(
        "unsupported_numbers",
        "nombres par réponse qu'aucune citation ne porte",
        _unsupported_numbers,
        higher_is_better=False,
        worst=None,
        unit="nombres",
        compared=True,
    ),
    Metric("words_supported", "mots de la réponse présents dans ses citations", _words_supported, compared=True),
    Metric(
        "falsified_rejected",
        "phrases falsifiées que le vérificateur rejette",
        _ranked("falsified_rejected"),
        worst=None,
        compared=True,
    ),
    Metric("answered", "questions à réponse : répondues", _answered, compared=True),
    Metric(
        "abstained",
        "questions sans réponse : abstention, refus ou correction",
        _abstained,
        paper=_SELECTIVE,
        compared=True,
    ),
    Metric(
        "abstention_precision", "abstentions qui étaient justes", _abstention_precision, worst=None, paper=_SELECTIVE
    ),
    Metric("verdict", "répondre ou s'abstenir : le bon choix", _verdict, paper=_SELECTIVE),
    Metric("words", "mots par réponse", _words, higher_is_better=None, summary="median", worst=None, unit="mots"),
    Metric("readability", "lisibilité (0 ardu, 100 facile)", _readability, worst=None, unit="points", paper=_KANDEL),
    Metric("first_text_ms", "premier texte", _first_text, False, "median", None, "ms"),
    Metric("first_text_p95_ms", "premier texte, 95 % des questions", _first_text, False, "p95", None, "ms"),
    Metric("total_ms", "réponse entière", _total, False, "median", None, "ms"),
    Metric("total_p95_ms", "réponse entière, 95 % des questions", _total, False, "p95", None, "ms"),
)
BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}
_OF_ANSWERS = frozenset({"verbatim", "sentence_cited", "words_supported"})
HEADLINE = ("facts", "cited_page", "R@5", "verdict", "answered", "abstained", "verbatim", "followup_facts")
# What must hold for every single answer, whatever the baseline.
FLOORS: Mapping[str, float] = {
    "verbatim": 1.0,
    "sentence_cited": 1.0,
    "unsupported_numbers": 0.0,
    "falsified_rejected": 1.0,
}


def values(case: Case) -> dict[str, float]:
    """Every metric that applies to one question."""
    found = ((metric.name, metric.value(case)) for metric in METRICS)
    return {name: round(value, 9) for name, value in found if value is not None}
