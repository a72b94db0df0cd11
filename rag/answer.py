"""Answer, Citation, Passage: the contract's forms, in pydantic, shared by commands, API and page."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["answered", "abstained", "refused"]
Role = Literal["user", "assistant"]
PassageKind = Literal["body", "note", "table", "list", "caption"]
Fallback = Literal["llm_unavailable", "llm_unverified"]


class Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Turn(Form):
    """One message of a conversation, oldest first in a history."""

    role: Role
    content: str


class Passage(Form):
    """A chunk found for a query, with its score (0 to 1, comparable within one answer)."""

    document_id: str
    title: str
    page: int = Field(ge=1, description="Première page du passage dans le fichier, à partir de 1")
    page_end: int = Field(ge=1, description="Dernière page du passage")
    page_label: str = Field(description="Numéro imprimé sur la page, s'il est connu")
    section: str
    kind: PassageKind
    text: str = Field(description="Texte réparé du passage")
    score: float
    page_url: str
    source_url: str | None = None


class Citation(Form):
    """A verbatim quote at its page, which supports a sentence."""

    n: int = Field(ge=1)
    document_id: str
    title: str
    page: int = Field(ge=1)
    page_label: str
    section: str
    quote: str = Field(description="Mot pour mot, tel que le texte de la page le porte")
    score: float
    page_url: str
    source_url: str | None = None


class Sentence(Form):
    text: str
    citations: tuple[int, ...] = ()


class Timings(Form):
    """Milliseconds."""

    condense: float = 0.0
    retrieve: float = 0.0
    first_text: float = 0.0
    total: float = 0.0


class Answer(Form):
    """What `ask` gives. Each sentence of an answered answer has a citation; each of its numbers is in a cited quote."""

    id: str
    question: str
    standalone_question: str
    status: Status
    answer: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    suggestions: tuple[str, ...] = ()
    synthesizer: Literal["extractive", "llm"] = "extractive"
    model: str | None = None
    fallback: Fallback | None = None
    index_generation: str
    timings_ms: Timings = Timings()


class SearchResult(Form):
    query: str
    passages: tuple[Passage, ...]
    index_generation: str
    timings_ms: Timings = Timings()


class DocumentInfo(Form):
    """What is known of a document of the published generation."""

    id: str
    title: str
    authors: tuple[str, ...] = ()
    publisher: str | None = None
    date: str | None = None
    kind: str
    language: str
    pages: int
    source_url: str | None = None
    licence: str | None = None
    sha256: str
    has_file: bool


class PageText(Form):
    """One page of a document, as the index holds it."""

    document_id: str
    number: int
    label: str
    width: float
    height: float
    text: str
    raw_text: str
    links: tuple[str, ...] = ()  # addresses that the page's links lead to, printed or not
