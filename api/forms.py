"""Requests of the HTTP API; answers are the contract's forms (rag.answer)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from rag.answer import DocumentInfo, Turn


class Request(BaseModel):
    model_config = ConfigDict(extra="ignore")


class AskRequest(Request):
    """Une question, et ce qui la précède dans la conversation."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={"examples": [{"question": "Combien de catalyseurs territoriaux ont émergé en France ?"}]},
    )
    question: str = Field(min_length=1, max_length=20_000, description="La question, en français")
    history: list[Turn] = Field(
        default=[], max_length=50, description="Tours précédents, du plus ancien au plus récent"
    )
    document_ids: list[str] = Field(default=[], max_length=200, description="Se limiter à ces documents")
    stream: bool = Field(default=False, description="Répondre au fil de l'eau (Server-Sent Events)")


class SearchRequest(Request):
    """Une requête : des passages, sans réponse."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"query": "prime à l'alliance", "k": 5}]})
    query: str = Field(min_length=1, max_length=20_000, description="Ce que l'on cherche")
    k: int = Field(default=5, ge=1, le=100, description="Nombre de passages")
    document_ids: list[str] = Field(default=[], max_length=200, description="Se limiter à ces documents")


class DocumentList(BaseModel):
    documents: list[DocumentInfo]


class Problem(BaseModel):
    """Une erreur (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
