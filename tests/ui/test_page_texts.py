"""What the page says and gives, without a browser: typography, welcome, Word export, Gradio's shell in our words."""

from __future__ import annotations

import io
import json

import pytest
from docx import Document

from corpus.errors import IndexMissing
from rag.answer import DocumentInfo
from rag.assistant import Assistant
from ui import markup
from ui.export import ExportRequest, to_docx
from ui.frame import translated
from ui.welcome import _figures, _holdings, spaced, welcome

CITATION = {
    "n": 1,
    "document_id": "a/b",
    "title": "Titre\x00 <b>",
    "page": 3,
    "page_label": "12",
    "quote": "mot\npour mot",
    "score": 0.5,
}
TURNS = [
    {
        "question": "Pourquoi ?\x0b",
        "answer": {"answer": "Parce que. [1]\n- Un point. [1]", "citations": [CITATION], "id": "x"},
    },
    {"question": "Et sans réponse ?", "answer": None},
]


def info(title: str, date: str | None, pages: int) -> DocumentInfo:
    return DocumentInfo(
        id=title, title=title, date=date, kind="fiche", language="fr", pages=pages, sha256="", has_file=True
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("L'ODD 17 : quoi ?", "L’ODD\u00a017\u00a0: quoi\u00a0?"),
        ("« oui » ; 12 %", "«\u00a0oui\u00a0»\u00a0; 12\u00a0%"),
        ("http://a:80 et 10:30", "http://a:80 et 10:30"),
        ("Boussole 17", "Boussole\u00a017"),
        ("le 24 novembre 2026", "le 24\u00a0novembre 2026"),
    ],
)
def test_french_spacing(given: str, expected: str) -> None:
    assert spaced(given) == expected


def test_holdings_in_words_and_figures() -> None:
    documents = [info("a", "2026-11-01", 1_200), info("b", "2019-02-03", 1), info("c", None, 2)]
    assert _holdings(documents) == (
        "Le corpus compte 3 documents et 1\u202f203 pages ; le plus récent date du 1er novembre 2026."
    )
    assert [(f.value, f.label) for f in _figures(documents)] == [
        ("3", "documents"),
        ("1\u202f203", "pages"),
        ("1er\u00a0novembre\u00a02026", "le plus récent"),
    ]
    assert _holdings([]) == "Le corpus est vide pour l’instant."


def test_without_an_index_the_page_says_why_and_promises_nothing() -> None:
    def provider() -> Assistant:
        raise IndexMissing("Aucun index publié dans « x ». Lancez : boussole index")

    told = welcome(provider)
    assert not told.ready
    assert told.figures == []
    assert told.privacy == ""
    assert told.holdings.startswith("Aucun index publié dans «\u00a0x\u00a0».")


def test_a_conversation_becomes_a_word_document_linked_to_its_pages() -> None:
    made = Document(io.BytesIO(to_docx(ExportRequest.model_validate({"turns": TURNS}), "http://site.fr/b/")))
    text = [p.text for p in made.paragraphs]
    assert text[0] == "Conversation avec Boussole\u00a017"
    assert "Pourquoi ?\ufffd" in text
    assert "Un point. [1]" in text
    assert any(line.endswith("p.\u00a012\u00a0: «\u00a0mot pour mot\u00a0»") for line in text)
    assert "Sans réponse." in text
    links = [r.target_ref for r in made.part.rels.values() if r.is_external]
    assert links == ["http://site.fr/b/v1/documents/a%2Fb/file#page=3"]


def test_too_large_a_conversation_is_refused() -> None:
    with pytest.raises(ValueError, match="turns"):
        ExportRequest.model_validate({"turns": TURNS * 101})


def test_gradios_shell_speaks_french_and_points_at_no_other_site() -> None:
    shell = (
        '<html\n\tlang="en"><head><meta property="og:url" content="https://gradio.app/" />'
        '<meta\n name="twitter:image" content="https://raw.githubusercontent.com/x.jpg" />'
        '<link rel="preconnect" href="https://fonts.googleapis.com" />'
        '<script src="https://cdnjs.cloudflare.com/a.js"></script></head><body style="x"></body></html>'
    )
    html = translated(shell, markup.head())
    assert 'lang="fr"' in html
    assert "https://" not in html
    assert '<body style="x"><div id="b17-outline"' in html
    assert f'src="page/{markup.version()}/js/main.js"' in html


def test_the_markup_names_every_control_and_holds_no_foreign_address() -> None:
    html = markup.markup()
    assert "$" not in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")
    assert html.count("data-example") == 6
    json.dumps(html)


@pytest.mark.parametrize("name", ["page.html", "../page.py", "js", "logo.svg", "js/../../page.py"])
def test_only_scripts_styles_and_fonts_are_files_of_the_page(name: str) -> None:
    assert markup.static_file(name) is None
