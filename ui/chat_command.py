"""`boussole chat`: a conversation in the terminal, with the thread kept and citations as footnotes."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.options import index_option

if TYPE_CHECKING:
    from rich.console import Console

    from rag.answer import Answer, Turn
    from rag.assistant import Assistant

WELCOME = "Posez votre question. /aide pour les commandes, /quitter pour finir."
HELP = """/nouvelle   oublier la conversation et en commencer une autre
/sources    revoir les citations de la dernière réponse
/documents  lister les documents du corpus
/quitter    finir (ou Ctrl-D)"""
QUIT = ("/quitter", "/q", "/exit", "/quit")
REMEMBERED = 20  # turns: more than any question refers back to


@click.command(help="Converser dans le terminal, citations en notes.")
@index_option
def chat(index: Path | None) -> None:
    from rich.console import Console

    from rag.assistant import Assistant
    from rag.settings import load_settings

    settings = load_settings(index=index)
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 — arrows and the history of the session, where the system has it
    click.echo("→ Chargement de l'index et du modèle de langue…", err=True)
    assistant = Assistant(settings)
    try:
        Conversation(assistant, Console()).run()
    finally:
        assistant.close()


class Conversation:
    """Reads questions from standard input until /quitter or its end."""

    def __init__(self, assistant: Assistant, console: Console) -> None:
        self._assistant, self._console = assistant, console
        self._turns: list[Turn] = []
        self._last: Answer | None = None

    def run(self) -> None:
        self._console.print(WELCOME)
        while True:
            try:
                line = input("\n> " if sys.stdin.isatty() else "").strip()
            except (EOFError, KeyboardInterrupt):
                self._console.print()
                return
            if line.lower() in QUIT:
                return
            if line.startswith("/"):
                self._command(line.lower())
            elif line:
                self._ask(line)

    def _command(self, line: str) -> None:
        from ui.terminal import show_citations

        if line == "/nouvelle":
            self._turns, self._last = [], None
            self._console.print("Nouvelle conversation.")
        elif line == "/sources" and self._last is not None and self._last.citations:
            show_citations(self._last.citations, self._console, self._assistant.file)
        elif line == "/sources":
            self._console.print("Pas encore de citation.")
        elif line == "/documents":
            for info in self._assistant.documents:
                self._console.print(f"{info.id} : {info.title}", markup=False, highlight=False)
        else:
            self._console.print(HELP, markup=False, highlight=False)

    def _ask(self, question: str) -> None:
        from corpus.errors import UsageError
        from rag.answer import Turn
        from ui.terminal import show_answer

        try:
            answer = self._assistant.ask(question, self._turns)
        except UsageError as error:
            self._console.print(str(error), markup=False)
            return
        except KeyboardInterrupt:
            self._console.print("Question abandonnée.")
            return
        show_answer(answer, self._console, self._assistant.file)
        self._last = answer
        said = [Turn(role="user", content=question), Turn(role="assistant", content=answer.answer)]
        self._turns = [*self._turns, *said][-2 * REMEMBERED :]
