"""GET /v1/documents…: what the corpus holds, its files, its pages as text and as pictures."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, JSONResponse, Response

from api.forms import DocumentList, Highlight
from api.live import Live
from api.pictures import Painter, Picture
from api.schema import errors
from corpus.errors import UsageError
from rag.answer import DocumentInfo, PageText
from rag.assistant import Assistant

DocumentId = Annotated[str, InPath(min_length=1, max_length=200, description="Identifiant du document")]
Number = Annotated[int, InPath(ge=1, le=1_000_000, description="Page dans le fichier, à partir de 1")]
Quote = Annotated[str, Query(max_length=5000, description="Citation à surligner, mot pour mot")]
CACHE = {"Cache-Control": "private, max-age=300"}  # seconds a page may outlive a new generation in a reader's cache
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
_RANGE = re.compile(r"bytes=(\d+-\d*|-\d+)(, ?(\d+-\d*|-\d+))*", re.ASCII)


class NotThere(UsageError):
    """No such document, page, file or picture (404)."""

    code = "unknown_document"


def documents(live: Live, painter: Painter) -> APIRouter:
    routes = APIRouter(tags=["Documents"])

    @routes.get("/v1/documents", operation_id="list_documents", summary="Les documents du corpus", responses=errors())
    def every() -> DocumentList:
        with live.use() as assistant:
            return DocumentList(documents=assistant.documents, index_generation=assistant.generation.name)

    @routes.get(
        "/v1/documents/{document_id}", operation_id="get_document", summary="Un document", responses=errors(404)
    )
    def one(document_id: DocumentId) -> DocumentInfo:
        with live.use() as assistant:
            return _known(assistant, document_id)

    @routes.get(
        "/v1/documents/{document_id}/file",
        operation_id="get_file",
        summary="Le fichier d'un document",
        response_class=Response,
        responses=errors(404)
        | {200: {"description": "Le fichier", "content": {"application/pdf": {"schema": _BINARY}, "text/plain": {}}}},
    )
    def file(request: Request, document_id: DocumentId) -> Response:
        if not _RANGE.fullmatch(request.headers.get("range", "bytes=0-")):  # to be ignored, says RFC 9110
            request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"range"]
        with live.use() as assistant:
            _known(assistant, document_id)
            path = assistant.file(document_id)
            if path is None:
                raise NotThere(f"Le fichier de « {document_id} » n'est pas conservé ici : lisez ses pages.")
            if path.suffix.lower() == ".pdf":
                policy = {"Content-Security-Policy": "frame-ancestors 'self'"}  # a sandbox would forbid the PDF reader
                kind = "application/pdf"
            else:  # never HTML of the corpus on our own origin
                policy = {"Content-Security-Policy": FILE_POLICY}
                kind = "text/plain; charset=utf-8"
            return FileResponse(
                path, media_type=kind, filename=path.name, content_disposition_type="inline", headers=CACHE | policy
            )

    @routes.get(
        "/v1/documents/{document_id}/pages/{number}.png",
        operation_id="get_page_picture",
        summary="Une page en image, une citation surlignée",
        response_class=Response,
        responses=errors(404)
        | {
            200: {"description": "L'image", "content": {"image/png": {"schema": _BINARY}}},
            304: {"description": "Inchangée"},
        },
    )
    def picture(request: Request, document_id: DocumentId, number: Number, quote: Quote = "") -> Response:
        with live.use() as assistant:
            tag = _tag(assistant, document_id, number, quote)
            drawn = _drawn(assistant, painter, document_id, number, quote)
        headers = CACHE | {"ETag": tag, "X-Highlight-Coverage": f"{drawn.coverage:.2f}"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(drawn.png, media_type="image/png", headers=headers)

    @routes.get(
        "/v1/documents/{document_id}/pages/{number}/highlight",
        operation_id="get_highlight",
        summary="Où se trouve une citation sur l'image de sa page",
        response_model=Highlight,
        responses=errors(404),
    )
    def highlight(
        document_id: DocumentId, number: Number, quote: Annotated[str, Query(min_length=1, max_length=5000)]
    ) -> Highlight:
        with live.use() as assistant:
            drawn = _drawn(assistant, painter, document_id, number, quote)
        return Highlight(
            document_id=document_id,
            page=number,
            found=bool(drawn.boxes),
            coverage=round(drawn.coverage, 4),
            width=drawn.width,
            height=drawn.height,
            boxes=[list(box) for box in drawn.boxes],
        )

    @routes.get(
        "/v1/documents/{document_id}/pages/{number}",
        operation_id="get_page",
        summary="Le texte d'une page",
        description="`text` est le texte réparé, où chaque citation se trouve mot pour mot ; `raw_text`, celui du fichier.",
        response_model=PageText,
        responses=errors(404),
    )
    def page(document_id: DocumentId, number: Number) -> Response:
        with live.use() as assistant:
            _known(assistant, document_id)
            found = assistant.page(document_id, number)
            if found is None:
                raise _no_page(document_id, number)
            headers = CACHE | {"X-Index-Generation": assistant.generation.name}
        return JSONResponse(found.model_dump(mode="json"), headers=headers)

    return routes


_BINARY = {"type": "string", "format": "binary"}


def _known(assistant: Assistant, document_id: str) -> DocumentInfo:
    found = assistant.generation.documents.get(document_id)
    if found is None:
        raise NotThere("Document inconnu. La liste est donnée par GET /v1/documents.")
    return found


def _no_page(document_id: str, number: int) -> NotThere:
    return NotThere(f"« {document_id} » n'a pas de page {number}.")


def _drawn(assistant: Assistant, painter: Painter, document_id: str, number: int, quote: str) -> Picture:
    _known(assistant, document_id)
    path = assistant.file(document_id)
    if path is None or path.suffix.lower() != ".pdf":
        raise NotThere(f"Pas d'image pour « {document_id} » : ce n'est pas un PDF. Lisez le texte de la page.")
    try:
        return painter.paint(path, number, quote)
    except IndexError:
        raise _no_page(document_id, number) from None


def _tag(assistant: Assistant, document_id: str, number: int, quote: str) -> str:
    key = "\0".join((assistant.generation.name, document_id, str(number), quote))
    return f'"{hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:24]}"'
