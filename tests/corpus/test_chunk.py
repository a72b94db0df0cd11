"""Sentences and chunks: nothing lost, everything at its page."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.chunk import chunk, locate, sentences
from corpus.joining import join_lines
from corpus.read import read
from corpus.sentences import split_sentences
from rag.settings import STARTER_CORPUS

FICHES = sorted(STARTER_CORPUS.glob("*.pdf"))[:6]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Une phrase. Une autre !", 2),
        ("M. Martin, art. 3, a versé 1.5 M€. C’est fait.", 2),
        ("« Qui ? » demande-t-elle. Personne.", 2),
        ("1. Pourquoi agir ?\n2. Comment agir ?", 2),
        ("Voir www.odd17.org pour la suite.", 1),
        ("« Et nous regardons ailleurs ! ». Cette phrase est célèbre.", 2),
    ],
)
def test_sentences_are_cut_where_a_reader_would(text: str, count: int) -> None:
    assert len(split_sentences(text)) == count


def test_a_number_in_a_row_goes_with_what_it_numbers() -> None:
    row = "Gestion : Situation 1. Trouver des financements. Puis les suivre."
    assert [row[a:b] for a, b in split_sentences(row, rows=True)] == [
        "Gestion : Situation 1. Trouver des financements.",
        "Puis les suivre.",
    ]


@pytest.mark.parametrize("path", FICHES, ids=lambda p: p.stem)
def test_every_word_of_the_pages_is_in_a_chunk_and_every_sentence_is_found_on_its_page(path: Path) -> None:
    document = read(path)
    chunks = chunk(document, lambda text: len(text.split()))
    pages = {page.number: page for page in document.pages}
    kept = " ".join(c.text for c in chunks).split()
    assert sorted(kept) == sorted(" ".join(p.text for p in document.pages).split())
    for item in chunks:
        for sentence in sentences(item):
            spans = locate(item.pieces, sentence.start, sentence.end)
            joined = "".join(pages[page].text[a:b] for page, a, b in spans)
            assert joined.split() == item.text[sentence.start : sentence.end].split()


@pytest.mark.parametrize("path", FICHES, ids=lambda p: p.stem)
def test_blocks_are_spans_of_their_page(path: Path) -> None:
    for page in read(path).pages:
        assert [page.text[b.start : b.end] for b in page.blocks] == [b.text for b in page.blocks]


def test_the_real_cahier_gives_the_rows_of_its_table(cahier: Path) -> None:
    rows = [row for page in read(cahier).pages for b in page.blocks if b.kind == "table" for row in b.text.split("\n")]
    assert any(row.startswith("Mécénat") and "Taux de pratique 25 %" in row for row in rows)


def test_rows_of_grouped_cells_say_label_head_and_items(cahier: Path) -> None:
    rows = [row for page in read(cahier).pages for b in page.blocks if b.kind == "table" for row in b.text.split("\n")]
    row = next(row for row in rows if "Relations et Interactions" in row)
    assert "Situations professionnelles identifiées (3)" in row
    assert row.count(" ; ") == 2


def test_every_word_of_the_cahier_is_in_a_chunk(cahier: Path) -> None:
    document = read(cahier)
    kept = " ".join(c.text for c in chunk(document, lambda text: len(text.split())))
    everywhere = " ".join(page.text for page in document.pages)
    # A word cut over two columns or pages is joined in its chunk: letters are compared, not words.
    assert sorted(filter(str.isalnum, kept)) == sorted(filter(str.isalnum, everywhere))


def test_a_sentence_over_a_page_is_whole_and_knows_both_pages(cahier: Path) -> None:
    over = [c for c in chunk(read(cahier), lambda text: len(text.split())) if c.page_end > c.page]
    assert over
    pages = [{page for page, _, _ in locate(c.pieces, s.start, s.end)} for c in over for s in sentences(c)]
    assert any(len(found) == 2 for found in pages)


LETTERS = st.text("abcdefghijklmnopqrstuvwxyzéè ", min_size=1, max_size=60).filter(str.strip)


@settings(deadline=None)  # the first call loads the lexicon
@given(st.lists(LETTERS, min_size=1, max_size=6))
def test_joined_lines_keep_their_letters(lines: list[str]) -> None:
    assert join_lines(lines).split() == " ".join(lines).split()


@settings(deadline=None)  # the first call loads the lexicon
@given(st.sampled_from(["socio", "éco", "co", "auto", "vice", "non"]), st.sampled_from(["économique", "construction"]))
def test_a_compound_cut_at_its_hyphen_keeps_it(first: str, second: str) -> None:
    assert join_lines([f"un lien {first}-", f"{second} ici"]) == f"un lien {first}-{second} ici"
