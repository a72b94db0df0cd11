"""Answers and passages in the terminal: text first, citations as footnotes."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from rag.answer import Answer, SearchResult


def show_answer(answer: Answer, console: Console | None = None) -> None:
    console = console or Console()
    console.print(Text(answer.answer))
    if answer.citations:
        console.print()
    for citation in answer.citations:
        where = f"[{citation.n}] {citation.title}, p. {citation.page_label}"
        console.print(Text(where, style="bold"))
        console.print(Text(f"    « {' '.join(citation.quote.split())} »", style="dim"))
    if answer.suggestions:
        console.print(Text("\nÀ demander ensuite :", style="italic"))
        for suggestion in answer.suggestions:
            console.print(Text(f"  – {suggestion}"))


def show_passages(result: SearchResult, console: Console | None = None) -> None:
    console = console or Console()
    for number, passage in enumerate(result.passages, 1):
        where = f"{number}. {passage.title}, p. {passage.page_label}"
        console.print(Text(f"{where} ({passage.section})" if passage.section else where, style="bold"))
        console.print(Text(f"   {' '.join(passage.text.split())[:400]}\n"))
