"""The chat page: Gradio is the frame, the conversation is our own markup, which talks to the API of the same origin."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Mount

from rag.assistant import Assistant
from ui import markup
from ui.atelier import Workshop, install
from ui.export import ExportRequest, to_docx
from ui.frame import Frame
from ui.statement import statement
from ui.welcome import Welcome, welcome

FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}  # their address changes with them
BRIEFLY = {"Cache-Control": "no-cache"}
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def mount(
    app: FastAPI,
    provider: Callable[[], Assistant],
    workshop: Workshop | None = None,
    place: Callable[[str], int | None] = lambda _: None,
) -> FastAPI:
    """Serve the page at `/`, behind the API's routes. `provider` gives the assistant in use, `place` the place in
    the queue of the request with this id; with a `workshop`, the maintainers' view stands at `/atelier`."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # nothing leaves the server
    import gradio as gr

    _serve_what_the_page_asks(app, provider, place)
    if workshop is not None:
        install(app, provider, workshop)
    with gr.Blocks(title="Boussole 17", analytics_enabled=False) as blocks:
        # A fixed text: Gradio redraws over what our script did as soon as a value changes.
        gr.HTML(markup.markup(), apply_default_css=False)
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        favicon_path=str(markup.LOGO),
        footer_links=[],
        ssr_mode=False,
    )
    mounted = app.router.routes[-1]
    assert isinstance(mounted, Mount)
    mounted.app = Frame(mounted.app, markup.head())
    return app


def _serve_what_the_page_asks(
    app: FastAPI, provider: Callable[[], Assistant], place: Callable[[str], int | None]
) -> None:
    @app.get("/welcome.json", include_in_schema=False)
    def told() -> Welcome:
        return welcome(provider)

    @app.get("/queue.json", include_in_schema=False)
    def queue(id: Annotated[str, Query(max_length=64)] = "") -> dict[str, int | None]:
        return {"place": place(id)}

    @app.get("/page/{version}/{name:path}", include_in_schema=False)
    def file(version: str, name: str) -> Response:
        path = markup.static_file(name)
        if path is None:
            raise HTTPException(404)
        kept = FOREVER if version == markup.version() else BRIEFLY
        return FileResponse(path, media_type=markup.KINDS[path.suffix], headers=kept)

    @app.post("/export.docx", include_in_schema=False)
    def export(asked: ExportRequest, request: Request) -> Response:
        return Response(to_docx(asked, str(request.base_url)), media_type=DOCX)

    @app.get("/accessibilite", include_in_schema=False)
    def accessibility() -> HTMLResponse:
        return HTMLResponse(statement())
