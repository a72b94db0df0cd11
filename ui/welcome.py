"""What the first screen says: examples by audience, what the corpus holds, limits, what becomes of questions."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

from pydantic import BaseModel

from corpus.errors import BoussoleError
from rag.answer import DocumentInfo
from rag.assistant import Assistant
from rag.settings import Settings

EXAMPLES: tuple[tuple[str, str, str], ...] = (  # audience, its icon, question
    ("Commune", "commune", "Combien de catalyseurs territoriaux ont émergé en France ?"),
    ("Association", "association", "Qu’est-ce que la prime à l’alliance ?"),
    ("Entreprise", "entreprise", "Pourquoi une entreprise fait-elle alliance ?"),
    ("Fondation", "fondation", "Quelle est la dotation du Fonds ODD 17 ?"),
    ("État", "etat", "Combien de mesures comptait la mission ministérielle ?"),
    ("Habitant", "habitant", "C’est quoi l’ODD 17 ?"),
)
LIMITS = (
    "Boussole 17 répond avec les phrases du corpus et le dit quand il n’y trouve rien ; "
    "il lui arrive de se tromper de phrase : ouvrez la page citée avant de vous en servir."
)
MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()


class CorpusFigure(BaseModel):
    """« 32 » « documents »."""

    value: str
    label: str


class Welcome(BaseModel):
    """What the first screen says of the corpus in use."""

    ready: bool
    holdings: str
    figures: list[CorpusFigure] = []
    privacy: str = ""


def welcome(provider: Callable[[], Assistant]) -> Welcome:
    """While the index isn't open: why, and nothing promised."""
    try:
        assistant = provider()
    except BoussoleError as error:
        return Welcome(ready=False, holdings=spaced(str(error)))
    return Welcome(
        ready=True,
        holdings=spaced(_holdings(assistant.documents)),
        figures=_figures(assistant.documents),
        privacy=spaced(_privacy(assistant.settings)),
    )


def spaced(text: str) -> str:
    """French typography: curved apostrophes; what precedes « : ; ? ! % » » and follows « « » never breaks a line."""
    curved = re.sub(r"(?<=[^\W\d_])'(?=[^\W\d_])", "’", text)
    return re.sub(
        rf"(?<=\d) (?=(?:{'|'.join(MONTHS)})\b)| (?=[:;?!%»])|(?<=«) |(?<=ODD) (?=17)|(?<=Boussole) (?=17)",
        "\u00a0",
        curved,
    )


def _privacy(settings: Settings) -> str:
    """One sentence, true for these settings: it promises nothing that the operator has changed."""
    kept = "sont conservées sur le serveur" if settings.log_questions else "ne sont pas conservées sur le serveur"
    read = ", et un modèle de langue choisi par l’exploitant les lit" if settings.llm_base_url else ""
    return f"Vos questions {kept}{read} ; la conversation ne reste que dans cet onglet."


def _holdings(documents: list[DocumentInfo]) -> str:
    """What the corpus holds, in one sentence."""
    if not documents:
        return "Le corpus est vide pour l’instant."
    dated = f" ; le plus récent date {_when(latest)}" if (latest := _latest(documents)) else ""
    pages = _counted(sum(d.pages for d in documents), "page")
    return f"Le corpus compte {_counted(len(documents), 'document')} et {pages}{dated}."


def _figures(documents: list[DocumentInfo]) -> list[CorpusFigure]:
    """The same in three figures, for the eye."""
    pages = sum(d.pages for d in documents)
    shown = [
        CorpusFigure(value=_number(len(documents)), label="document" + "s" * (len(documents) > 1)),
        CorpusFigure(value=_number(pages), label="page" + "s" * (pages > 1)),
    ]
    if latest := _latest(documents):
        shown.append(CorpusFigure(value=_when(latest).split(" ", 1)[1].replace(" ", "\u00a0"), label="le plus récent"))
    return shown


def _latest(documents: list[DocumentInfo]) -> str:
    return max((d.date for d in documents if d.date), default="")


def _counted(number: int, noun: str) -> str:
    return f"{_number(number)} {noun}{'s' if number > 1 else ''}"


def _number(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def _when(date: str) -> str:
    """« du 24 novembre 2026 », or « de hiver 2023 » where the document doesn't give a whole date."""
    try:
        day = datetime.date.fromisoformat(date)
    except ValueError:
        return f"de {date}"
    return f"du {'1er' if day.day == 1 else day.day} {MONTHS[day.month - 1]} {day.year}"
