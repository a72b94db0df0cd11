"""Errors as application/problem+json (RFC 9457), or in OpenAI's form under its paths; in French, nothing of the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Scope

from api.forms import Problem
from corpus.errors import BoussoleError, UsageError

TITLES = {
    400: "Demande refusée",
    401: "Clé absente ou inconnue",
    403: "Accès refusé",
    404: "Introuvable",
    405: "Méthode non permise",
    408: "Demande trop lente",
    413: "Demande trop grande",
    422: "Demande mal formée",
    429: "Trop de demandes",
    500: "Erreur du serveur",
    503: "Service indisponible",
}
DETAILS = {  # where a library raised, with its English sentence
    400: "Le corps de la demande est illisible : envoyez du JSON en UTF-8, sans imbrication démesurée.",
    404: "Rien à cette adresse. Les adresses de l'API sont décrites à /docs.",
    405: "Cette adresse ne prend pas cette méthode. Voyez /docs.",
}
STATUS = {"unknown_document": 404, "picture_failed": 404, "unknown_answer": 404, "client_gone": 499, "key_unknown": 401}
OWN_PATHS = ("ask", "search", "documents", "feedback", "about")  # under /v1; an OpenAI client may ask for any other
AGAIN = 5  # seconds after which a busy or starting server is worth asking again

REASONS = {  # pydantic's error types, in French
    "missing": "ce champ manque",
    "string_type": "un texte est attendu",
    "string_too_short": "ce texte est trop court ({min_length} caractère au moins)",
    "string_too_long": "ce texte est trop long ({max_length} caractères au plus)",
    "string_unicode": "ce texte n'est pas de l'Unicode valide",
    "string_pattern_mismatch": "ce texte n'a pas la forme attendue ({pattern})",
    "too_long": "cette liste est trop longue ({max_length} éléments au plus)",
    "too_short": "cette liste est trop courte ({min_length} élément au moins)",
    "list_type": "une liste est attendue",
    "bool_type": "true ou false est attendu",
    "bool_parsing": "true ou false est attendu",
    "int_type": "un nombre entier est attendu",
    "int_parsing": "un nombre entier est attendu",
    "int_from_float": "un nombre entier est attendu",
    "greater_than_equal": "{ge} au moins",
    "less_than_equal": "{le} au plus",
    "literal_error": "valeurs possibles : {expected}",
    "extra_forbidden": "ce champ n'existe pas",
    "json_invalid": "ce JSON est mal formé",
    "model_attributes_type": "un objet JSON est attendu, avec l'en-tête Content-Type: application/json",
    "model_type": "un objet JSON est attendu",
    "dict_type": "un objet JSON est attendu",
}


def problem(
    scope: Scope,
    status: int,
    detail: str,
    *,
    code: str = "",
    retry_after: int | None = None,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
) -> JSONResponse:
    """The response that tells an error, in the form of the path that was asked."""
    sent = dict(headers or {}) | ({"Retry-After": str(retry_after)} if retry_after else {})
    if _of_openai(get_route_path(scope)):
        return _openai(400 if status == 422 else status, detail, code, sent, errors)
    body = Problem(
        title=TITLES.get(status, "Erreur"), status=status, detail=detail, instance=scope["path"], code=code or "error"
    ).model_dump()
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status, sent, media_type="application/problem+json")


def _of_openai(path: str) -> bool:
    start, _, rest = path.lstrip("/").partition("/")
    return start == "v1" and rest.partition("/")[0] not in OWN_PATHS


def _openai(
    status: int, detail: str, code: str, headers: Mapping[str, str], errors: Sequence[Mapping[str, str]]
) -> JSONResponse:
    kind = {429: "rate_limit_error", 401: "authentication_error", 403: "permission_error"}.get(
        status, "server_error" if status >= 500 else "invalid_request_error"
    )
    error = {"message": detail, "type": kind, "param": errors[0]["field"] if errors else None, "code": code or None}
    return JSONResponse({"error": error}, status, dict(headers))


def install(app: FastAPI) -> None:
    """Every error of the app in one form."""

    @app.exception_handler(BoussoleError)
    async def told(request: Request, error: BoussoleError) -> JSONResponse:
        return refusal(request.scope, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"field": _field(e["loc"], e["type"]), "reason": _reason(e)} for e in error.errors()[:20]]
        first = errors[0]
        detail = f"Champ « {first['field']} » : {first['reason']}. La forme attendue est décrite à /docs."
        return problem(request.scope, 422, detail, code="invalid", errors=errors)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        detail = DETAILS.get(error.status_code, TITLES.get(error.status_code, "Erreur") + ".")
        if error.status_code == 404 and _of_openai(get_route_path(request.scope)):
            detail = "Rien à cette adresse. La forme OpenAI se limite ici à /v1/chat/completions et /v1/models."
        return problem(request.scope, error.status_code, detail, code="http", headers=error.headers)


def refusal(scope: Scope, error: BoussoleError) -> JSONResponse:
    """One of our own errors: 4xx where the request can be changed, 503 where the service can't answer."""
    status = STATUS.get(error.code, 422 if isinstance(error, UsageError) else 503)
    return problem(scope, status, str(error), code=error.code, retry_after=AGAIN if status == 503 else None)


def _field(location: Sequence[Any], kind: str) -> str:
    if kind == "json_invalid":  # its place is a number of characters
        return "corps"
    return ".".join(str(part) for part in location if part not in ("body", "query", "path")) or "corps"


def _reason(error: Mapping[str, Any]) -> str:
    reason = REASONS.get(error["type"], "valeur refusée")
    try:
        return reason.format(**error.get("ctx", {}))
    except KeyError:
        return "valeur refusée"
