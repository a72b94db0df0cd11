"""Errors as application/problem+json (RFC 9457), in French, without anything of the machine in them."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from api.forms import Problem
from corpus.errors import BoussoleError, UsageError

TITLES = {
    400: "Demande refusée",
    404: "Introuvable",
    405: "Méthode non permise",
    413: "Trop grand",
    422: "Demande mal formée",
}
UNKNOWN = {"unknown_document"}


def problem(
    request: Request, status: int, detail: str, *, code: str = "", retry_after: int | None = None
) -> JSONResponse:
    title = TITLES.get(status, "Service indisponible" if status == 503 else "Erreur")
    body = Problem(title=title, status=status, detail=detail, instance=request.url.path).model_dump()
    headers = {"Retry-After": str(retry_after)} if retry_after else None
    return JSONResponse(body | ({"code": code} if code else {}), status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Every error of the app in one form."""

    @app.exception_handler(UsageError)
    async def usage(request: Request, error: UsageError) -> JSONResponse:
        return problem(request, 404 if error.code in UNKNOWN else 422, str(error), code=error.code)

    @app.exception_handler(BoussoleError)
    async def failure(request: Request, error: BoussoleError) -> JSONResponse:
        return problem(request, 503, str(error), code=error.code, retry_after=5)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body") or "corps"
        return problem(
            request, 422, f"Champ « {where} » : {first['msg']}. Voyez /docs pour la forme attendue.", code="invalid"
        )

    @app.exception_handler(StarletteHTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return problem(request, error.status_code, str(error.detail))
