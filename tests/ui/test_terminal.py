"""Answers on a terminal: footnotes that link to the cited page."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from rag.answer import Answer, Citation
from ui.progress import _Plain
from ui.terminal import plain_answer, show_answer

CITATION = Citation(
    n=1,
    document_id="note",
    title="La note",
    page=3,
    page_label="iii",
    section="",
    quote="Le pont\nmesure 47 mètres.",
    score=1.0,
    page_url="/v1/documents/note/pages/3",
    source_url="https://odd17.org/note",
)
ANSWER = Answer(
    id="a",
    question="?",
    standalone_question="?",
    status="answered",
    answer="Il mesure 47 mètres [1].",
    citations=(CITATION,),
    index_generation="g",
)


def test_a_citation_links_to_its_page_of_the_file_and_to_its_source() -> None:
    shown = io.StringIO()
    show_answer(ANSWER, Console(file=shown, force_terminal=True, width=200), lambda _: Path("/documents/note.pdf"))
    assert "\x1b]8;" in shown.getvalue()
    assert "file:///documents/note.pdf#page=3" in shown.getvalue()
    assert "https://odd17.org/note" in shown.getvalue()


def test_plain_text_has_no_sign_that_a_pipe_or_a_screen_reader_would_stumble_on() -> None:
    text = plain_answer(ANSWER)
    assert "\x1b" not in text
    assert "[1] La note, page iii : « Le pont mesure 47 mètres. »" in text


def test_progress_without_a_terminal_is_a_few_lines() -> None:
    said = io.StringIO()
    plain = _Plain(said)
    for done in range(201):
        plain.advance("read", done, 200)
    plain.advance("wait", 0, 1)
    lines = said.getvalue().splitlines()
    assert (lines[0], lines[1]) == ("Lecture : 0/200 fichiers", "Lecture : 200/200 fichiers")
    assert "attente" in lines[2]
