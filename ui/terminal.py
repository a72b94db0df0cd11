"""Answers and passages in the terminal: text first, citations as footnotes, linked to their page where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.style import Style
from rich.text import Text

from rag.answer import Answer, Citation, SearchResult

Locate = Callable[[str], Path | None]  # a document's file, by its id


def show_answer(answer: Answer, console: Console | None = None, locate: Locate = lambda _: None) -> None:
    console = console or Console()
    console.print(Text(answer.answer))
    if answer.fallback:
        console.print(Text("(Le modèle de langage n'a pas servi : réponse extraite du corpus.)", style="italic"))
    if answer.citations:
        console.print()
    show_citations(answer.citations, console, locate)
    if answer.suggestions:
        console.print(Text("\nÀ demander ensuite :", style="italic"))
        for suggestion in answer.suggestions:
            console.print(Text(f"  – {suggestion}"))


def show_citations(citations: Sequence[Citation], console: Console, locate: Locate = lambda _: None) -> None:
    """Each with its page, as a link (OSC 8) to the file at that page, else to where the document is published."""
    for citation in citations:
        where = f"[{citation.n}] {citation.title}, p. {citation.page_label}"
        console.print(Text(where, style=Style(bold=True, link=_link(citation, locate))))
        console.print(Text(f"    « {' '.join(citation.quote.split())} »", style="dim"))
        if citation.source_url:
            console.print(Text(f"    {citation.source_url}", style=Style(dim=True, link=citation.source_url)))


def _link(citation: Citation, locate: Locate) -> str | None:
    file = locate(citation.document_id)
    return f"{file.absolute().as_uri()}#page={citation.page}" if file is not None else citation.source_url


def plain_answer(answer: Answer) -> str:
    """The answer for pipes, files and screen readers: no colour, no link, no line cut."""
    lines = [answer.answer]
    if answer.citations:
        lines.append("")
    for citation in answer.citations:
        lines.append(
            f"[{citation.n}] {citation.title}, page {citation.page_label} : « {' '.join(citation.quote.split())} »"
        )
        if citation.source_url:
            lines.append(f"    {citation.source_url}")
    return "\n".join(lines)


def show_passages(result: SearchResult, console: Console | None = None) -> None:
    console = console or Console()
    if not result.passages:
        console.print("Aucun passage trouvé.")
    for number, passage in enumerate(result.passages, 1):
        where = f"{number}. {passage.title}, p. {passage.page_label}"
        console.print(Text(f"{where} ({passage.section})" if passage.section else where, style="bold"))
        console.print(Text(f"   {' '.join(passage.text.split())[:400]}\n"))
