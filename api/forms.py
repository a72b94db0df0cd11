"""Requests of the HTTP API, and the answers that are not the contract's own forms (those are in rag.answer)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StrictBool
from pydantic_core import PydanticCustomError

from rag.answer import DocumentInfo, Role, Turn

QUESTION = "Combien de catalyseurs territoriaux ont émergé en France ?"
DocumentId = Annotated[str, Field(min_length=1, max_length=200)]
Box = Annotated[list[float], Field(min_length=4, max_length=4)]
NOT_BLANK: dict[str, JsonValue] = {"pattern": "\\S"}  # in the schema; the assistant says it in French
DocumentIds = Annotated[
    list[DocumentId], Field(max_length=200, description="Se limiter à ces documents ; vide : tout le corpus")
]


def _no_text(given: object) -> object:
    """A number in JSON, as 5 or 5.0; a text or a boolean isn't one."""
    if isinstance(given, (str, bool)):
        raise PydanticCustomError("int_type", "a whole number is expected")
    return given


Number = Annotated[int, BeforeValidator(_no_text)]


class Message(Turn):
    """Un message de la conversation."""

    role: Role = Field(description="Qui parle : `user` ou `assistant`")
    content: str = Field(max_length=20_000, description="Ce qui a été dit")


class AskRequest(BaseModel):
    """Une question, et ce qui la précède dans la conversation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"question": QUESTION},
                {
                    "question": "Et combien de pionniers ?",
                    "history": [
                        {"role": "user", "content": QUESTION},
                        {"role": "assistant", "content": "Plus de 700 catalyseurs territoriaux ont émergé."},
                    ],
                    "stream": True,
                },
            ]
        }
    )
    question: str = Field(
        min_length=1, max_length=20_000, description="La question, en français", json_schema_extra=NOT_BLANK
    )
    history: list[Message] = Field(
        default=[], max_length=50, description="Messages précédents, du plus ancien au plus récent"
    )
    document_ids: DocumentIds = []
    stream: StrictBool = Field(
        default=False, description="Répondre au fil de l'eau, en événements `text`, `citation`, puis `done` (SSE)"
    )


class SearchRequest(BaseModel):
    """Une requête : des passages, sans réponse."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"query": "prime à l'alliance", "k": 5}]})
    query: str = Field(min_length=1, max_length=20_000, description="Ce que l'on cherche", json_schema_extra=NOT_BLANK)
    k: Number = Field(default=5, ge=1, le=100, description="Nombre de passages")
    document_ids: DocumentIds = []


class FeedbackRequest(BaseModel):
    """Un avis sur une réponse ; un second avis sur la même réponse remplace le premier."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"answer_id": "0123456789abcdef0123456789abcdef", "rating": 1, "comment": "Très clair."}]
        }
    )
    answer_id: str = Field(pattern=r"^[0-9a-f]{32}$", description="Champ `id` de la réponse")
    rating: Literal[1, -1] = Field(description="1 : utile ; -1 : inutile")
    comment: str | None = Field(
        default=None, max_length=2000, description="Commentaire libre ; n'y écrivez rien de personnel"
    )


class FeedbackReceipt(BaseModel):
    """L'avis est enregistré."""

    answer_id: str
    rating: int
    kept_days: int = Field(description="Jours avant son effacement")


class DocumentList(BaseModel):
    """Les documents du corpus publié."""

    documents: list[DocumentInfo]
    index_generation: str


class About(BaseModel):
    """Ce que contient le corpus, et ce qui est conservé des visiteurs."""

    documents: int
    pages: int
    latest: str | None = Field(description="Date du document le plus récent, si elle est connue")
    questions_kept: bool = Field(description="Si les questions sont conservées")
    kept_days: int = Field(description="Jours de conservation des avis, et des questions si elles le sont")
    max_question: int = Field(description="Longueur maximale d'une question, en caractères")
    index_generation: str


class Highlight(BaseModel):
    """Où se trouve une citation sur l'image de sa page."""

    document_id: str
    page: int
    found: bool
    coverage: float = Field(description="Part des lettres de la citation retrouvées sur la page, de 0 à 1")
    width: int = Field(description="Largeur de l'image, en pixels")
    height: int = Field(description="Hauteur de l'image, en pixels")
    boxes: list[Box] = Field(
        description="Un cadre par ligne : gauche, haut, droite, bas, en parts (0 à 1) de la largeur et de la hauteur"
    )


class State(BaseModel):
    """L'état du service."""

    status: str
    index_generation: str | None = None


class OpenAIProblem(BaseModel):
    """Une erreur, en forme OpenAI."""

    message: str = Field(description="Ce qui ne va pas, et quoi faire")
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIError(BaseModel):
    """L'erreur d'une demande en forme OpenAI."""

    error: OpenAIProblem


class Problem(BaseModel):
    """Une erreur (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="Ce qui ne va pas, et quoi faire")
    instance: str
    code: str = Field(default="error", description="Pour les programmes : `invalid`, `busy`, `unknown_document`…")
