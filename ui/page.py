"""The chat page: Gradio is the frame, the conversation is our own markup, which talks to the API of the same origin."""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from pathlib import Path

from fastapi import FastAPI

from corpus.errors import BoussoleError
from rag.assistant import Assistant

STATIC = Path(__file__).resolve().parent / "static"

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("Commune", "Combien de catalyseurs territoriaux ont émergé en France ?"),
    ("Association", "Quels sont les trois piliers d’un modèle socio-économique ?"),
    ("Entreprise", "Quel est le taux de pratique du mécénat ?"),
    ("Fondation", "Quelle est la dotation du Fonds ODD 17 ?"),
    ("État", "Combien de mesures comptait la mission ministérielle ?"),
    ("Habitant", "C’est quoi l’ODD 17 ?"),
)

LOGO = """<svg viewBox="0 0 48 48" aria-hidden="true" focusable="false"><circle cx="24" cy="24" r="21" fill="none"
stroke="currentColor" stroke-width="3"/><path d="M33.5 14.5 27 27l-12.500 6.500L21 21z" fill="currentColor"/>
<circle cx="24" cy="24" r="2.600" fill="var(--paper)"/></svg>"""


def mount(app: FastAPI, provider: Callable[[], Assistant]) -> FastAPI:
    """Serve the page at `/`, behind the API's routes. `provider` gives the assistant in use."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # nothing leaves the server
    import gradio as gr

    with gr.Blocks(title="Boussole 17", analytics_enabled=False) as blocks:
        # A function, so that each visit shows the corpus as it is then.
        gr.HTML(lambda: _markup(_holdings(provider)))
    return gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        css=(STATIC / "chat.css").read_text(encoding="utf-8"),
        head=f"<script>{(STATIC / 'chat.js').read_text(encoding='utf-8')}</script>",
        footer_links=[],
        ssr_mode=False,
    )


def _holdings(provider: Callable[[], Assistant]) -> str:
    """What the corpus holds, in one sentence."""
    try:
        documents = provider().documents
    except BoussoleError as error:
        return str(error)
    latest = max((d.date for d in documents if d.date), default=None)
    pages = sum(d.pages for d in documents)
    dated = f" ; le plus récent date de {latest[:4]}" if latest else ""
    plural = "s" if len(documents) > 1 else ""
    return f"Le corpus compte {len(documents)} document{plural} et {pages} pages{dated}."


def _markup(holdings: str) -> str:
    examples = "".join(
        f'<li><button type="button" data-example="{escape(q)}"><span>{escape(who)}</span>{escape(q)}</button></li>'
        for who, q in EXAMPLES
    )
    return f"""<div id="b17"><div id="b17-main">
<header id="b17-head">{LOGO}<h1>Boussole 17</h1><button id="b17-new" type="button">Nouvelle conversation</button></header>
<section id="b17-welcome" aria-label="Présentation">
<h2>Vos questions sur les alliances, avec la page qui prouve la réponse</h2>
<p>Pour les communes, associations, entreprises, fondations, services de l’État et habitants qui agissent ensemble.
{escape(holdings)}</p>
<ul id="b17-examples">{examples}</ul>
<p class="b17-legal">Boussole 17 répond avec les phrases du corpus et le dit quand il n’y trouve rien ; ouvrez la page citée
avant de vous en servir. Vos questions ne sont pas conservées sur le serveur, et rien ne part ailleurs.</p>
</section>
<section id="b17-log" aria-label="Conversation"></section>
<form id="b17-form"><textarea id="b17-question" rows="1" maxlength="2000" aria-label="Votre question"
placeholder="Posez votre question…"></textarea><button id="b17-send" type="submit">Demander</button></form>
</div>
<aside id="b17-panel" tabindex="-1" aria-label="Page citée">
<header><h2 id="b17-title"></h2><button id="b17-close" type="button" aria-label="Fermer la page citée">×</button></header>
<p id="b17-where"></p><blockquote id="b17-quote"></blockquote>
<div class="b17-tools"><button id="b17-previous" class="b17-chip" type="button">Page précédente</button>
<button id="b17-next" class="b17-chip" type="button">Page suivante</button>
<a id="b17-pdf" href="#" target="_blank" rel="noopener">Ouvrir le PDF à cette page</a></div>
<img id="b17-picture" alt="">
</aside></div>"""
