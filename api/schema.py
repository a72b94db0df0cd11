"""The OpenAPI schema, and its page at /docs from bundled files: nothing is asked of another site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse
from pydantic import BaseModel

from api.forms import Problem

ASSETS = Path(fastapi_offline.__file__).parent / "static"
CACHED = {"Cache-Control": "public, max-age=86400"}
MEANING = {
    400: "Corps illisible",
    401: "Clé absente ou inconnue",
    403: "Accès refusé à cette clé, ou à cette adresse tant qu'aucune clé n'existe",
    404: "Introuvable",
    408: "Corps trop lent à venir",
    413: "Demande trop grande",
    422: "Demande mal formée",
    429: "Trop de demandes : voyez l'en-tête `Retry-After`",
    503: "Pas encore d'index, ou trop de questions à la fois : voyez l'en-tête `Retry-After`",
}
USUAL = (400, 401, 403, 408, 413, 422, 429, 503)
EVENTS = {
    "text/event-stream": {
        "schema": {
            "type": "object",
            "description": "Un événement SSE",
            "properties": {"event": {"type": "string"}, "data": {"type": "string", "description": "Du JSON"}},
        }
    }
}
DESCRIPTION = """Questionner le corpus ODD 17 : chaque phrase d'une réponse renvoie, mot pour mot, à la page qui la prouve.

Sans clé, le service ne répond qu'à la machine où il tourne. Dès qu'une clé existe (`boussole keys create`), chaque demande
porte `Authorization: Bearer …`. Les erreurs sont en `application/problem+json` (RFC 9457), en français."""
PAGE = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Boussole 17 : l'API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="docs/swagger.css"><link rel="icon" href="docs/icon.png"></head>
<body><div id="swagger"></div><script src="docs/swagger.js"></script><script src="docs/start.js"></script></body></html>"""
START = """SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger", deepLinking: true, displayRequestDuration: true,
validatorUrl: null});"""
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def errors(*more: int, form: type[BaseModel] = Problem) -> dict[int | str, dict[str, Any]]:
    """The errors of an operation, for the schema: the usual ones and `more`."""
    return {code: {"description": MEANING[code], "model": form} for code in sorted({*USUAL, *more})}


def install(app: FastAPI, max_question: int) -> None:
    """Serve the schema with its security scheme, its problems' media type and this server's limit, and its page."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _schema(app, max_question)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    app.include_router(_page(), include_in_schema=False)


def _schema(app: FastAPI, max_question: int) -> dict[str, Any]:
    schema = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    parts = schema.setdefault("components", {})
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "Clé créée par `boussole keys create`"}
    }
    for form, field in (("AskRequest", "question"), ("SearchRequest", "query")):
        parts["schemas"][form]["properties"][field]["maxLength"] = max_question
    schema["security"] = [{}, {"key": []}]  # none is needed on the machine itself, as long as no key exists
    for operations in schema["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                problems = content.get("application/json", {}).get("schema", {}).get("$ref", "").endswith("/Problem")
                if status[0] in "45" and problems:
                    content["application/problem+json"] = content.pop("application/json")
    return schema


def _page() -> APIRouter:
    routes = APIRouter()

    @routes.get("/docs")
    def docs() -> HTMLResponse:
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": DOCS_POLICY})

    @routes.get("/docs/start.js")
    def start() -> PlainTextResponse:
        return PlainTextResponse(START, media_type="text/javascript")

    for name, file, kind in (
        ("swagger.js", "swagger-ui-bundle.js", "text/javascript"),
        ("swagger.css", "swagger-ui.css", "text/css"),
        ("icon.png", "favicon.png", "image/png"),
    ):
        routes.add_api_route(f"/docs/{name}", _file(ASSETS / file, kind))
    return routes


def _file(path: Path, kind: str) -> Any:
    def serve() -> FileResponse:
        return FileResponse(path, media_type=kind, headers=CACHED)

    return serve
