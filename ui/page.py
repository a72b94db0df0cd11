"""The chat page: Gradio is the frame, the conversation is our own markup, which talks to the API of the same origin."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Callable
from html import escape
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

from corpus.errors import BoussoleError
from rag.answer import DocumentInfo
from rag.assistant import Assistant
from rag.settings import Settings

STATIC = Path(__file__).resolve().parent / "static"
LOGO = STATIC / "logo.svg"

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("Commune", "Combien de catalyseurs territoriaux ont émergé en France ?"),
    ("Association", "Qu’est-ce que la prime à l’alliance ?"),
    ("Entreprise", "Pourquoi une entreprise fait-elle alliance ?"),
    ("Fondation", "Quelle est la dotation du Fonds ODD 17 ?"),
    ("État", "Combien de mesures comptait la mission ministérielle ?"),
    ("Habitant", "C’est quoi l’ODD 17 ?"),
)
LIMITS = (
    "Boussole 17 répond avec les phrases du corpus et le dit quand il n’y trouve rien ; "
    "il lui arrive de se tromper de phrase : ouvrez la page citée avant de vous en servir."
)
MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()


def mount(app: FastAPI, provider: Callable[[], Assistant]) -> FastAPI:
    """Serve the page at `/`, behind the API's routes. `provider` gives the assistant in use."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # nothing leaves the server
    import gradio as gr

    @app.get("/welcome.json", include_in_schema=False)
    def welcome() -> Welcome:
        return _welcome(provider)

    with gr.Blocks(title="Boussole 17", analytics_enabled=False) as blocks:
        # A fixed text: Gradio redraws over what our script did as soon as a value changes.
        gr.HTML(_markup(), apply_default_css=False)
    return gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        # Not `css=`: Gradio rewrites its selectors, and the dark palette is lost.
        head=f"<style>{_read('chat.css')}</style><script>{_read('chat.js')}</script>",
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        favicon_path=str(LOGO),
        footer_links=[],
        ssr_mode=False,
    )


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


class Welcome(BaseModel):
    """What the first screen says of the corpus in use."""

    ready: bool
    holdings: str
    privacy: str = ""


def _welcome(provider: Callable[[], Assistant]) -> Welcome:
    """While the index isn't open: why, and nothing promised."""
    try:
        assistant = provider()
    except BoussoleError as error:
        return Welcome(ready=False, holdings=_spaced(str(error)))
    holdings, privacy = _holdings(assistant.documents), _privacy(assistant.settings)
    return Welcome(ready=True, holdings=_spaced(holdings), privacy=_spaced(privacy))


def _privacy(settings: Settings) -> str:
    """One sentence, true for these settings: it promises nothing that the operator has changed."""
    kept = "sont conservées sur le serveur" if settings.log_questions else "ne sont pas conservées sur le serveur"
    read = ", et un modèle de langue choisi par l’exploitant les lit" if settings.llm_base_url else ""
    return f"Vos questions {kept}{read} ; la conversation ne reste que dans cet onglet."


def _holdings(documents: list[DocumentInfo]) -> str:
    """What the corpus holds, in one sentence."""
    if not documents:
        return "Le corpus est vide pour l’instant."
    latest = max((d.date for d in documents if d.date), default="")
    pages = sum(d.pages for d in documents)
    dated = f" ; le plus récent date {_when(latest)}" if latest else ""
    return f"Le corpus compte {_counted(len(documents), 'document')} et {_counted(pages, 'page')}{dated}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"


def _when(date: str) -> str:
    """« du 24 novembre 2026 », or « de hiver 2023 » where the document doesn't give a whole date."""
    try:
        day = datetime.date.fromisoformat(date)
    except ValueError:
        return f"de {date}"
    return f"du {'1er' if day.day == 1 else day.day} {MONTHS[day.month - 1]} {day.year}"


def _spaced(text: str) -> str:
    """French spacing: what precedes « : ; ? ! » » and follows « « » never breaks a line."""
    return re.sub(r" (?=[:;?!»])|(?<=«) |(?<=ODD) (?=17)", "\u00a0", text)


def _markup() -> str:
    examples = "".join(
        f'<li><button type="button" data-example="{escape(q)}"><span>{who}</span>{escape(_spaced(q))}</button></li>'
        for who, q in EXAMPLES
    )
    return f"""<div id="b17"><div id="b17-main">
<header id="b17-head">{_read("logo.svg")}<h1>Boussole{chr(160)}17</h1>
<button id="b17-new" type="button">Nouvelle conversation</button></header>
<section id="b17-welcome" aria-label="Présentation">
<h2>Vos questions sur les alliances, avec la page qui prouve la réponse</h2>
<p>Pour les communes, associations, entreprises, fondations, services de l’État et habitants qui agissent ensemble.
<span id="b17-holdings"></span></p>
<h3>Par exemple</h3>
<ul id="b17-examples">{examples}</ul>
<p class="b17-legal">{_spaced(LIMITS)} <span id="b17-privacy"></span></p>
</section>
<section id="b17-log" aria-label="Conversation"></section>
<form id="b17-form"><textarea id="b17-question" rows="1" maxlength="2000" aria-label="Votre question"
placeholder="Votre question…"></textarea><button id="b17-send" type="submit">Demander</button></form>
</div>
<aside id="b17-panel" tabindex="-1" aria-label="Page citée">
<header><h2 id="b17-title"></h2><button id="b17-close" type="button" aria-label="Fermer la page citée">×</button></header>
<p id="b17-where" aria-live="polite"></p><blockquote id="b17-quote"></blockquote>
<div class="b17-tools"><button id="b17-previous" class="b17-chip" type="button">Page précédente</button>
<button id="b17-next" class="b17-chip" type="button">Page suivante</button>
<a id="b17-pdf" href="#" target="_blank" rel="noopener">Ouvrir le PDF à cette page</a></div>
<img id="b17-picture" alt=""><pre id="b17-page" hidden></pre>
</aside><div id="b17-tip" role="tooltip" hidden></div></div>"""
