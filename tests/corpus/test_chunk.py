"""Sentences and chunks: nothing lost, everything at its page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.chunk import Chunk, ChunkSettings, chunk, locate, sentences
from corpus.document import BLOCK_SEPARATOR, Block, BlockKind, Document, DocumentMetadata, Page
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


# --- where chunks are cut: sizes in words, of documents made for the purpose

SIZES = ChunkSettings(target=6, maximum=10, minimum=3)
X, XY, Z = ("X",), ("X", "Y"), ("Z",)


def words(*counts: int) -> str:
    """Sentences of so many words."""
    return " ".join(" ".join(["Un", *["mot"] * (count - 1)]) + "." for count in counts)


def block(
    text: str,
    kind: BlockKind = "body",
    section: tuple[str, ...] = X,
    *,
    goes_on: bool = False,
    quality: float = 1.0,
) -> Block:
    return Block(kind, text, 0, 0, section, continues=goes_on, quality=quality)


def made(*pages: list[Block], numbers: tuple[int, ...] = (1, 2, 3)) -> Document:
    whole = []
    for number, blocks in zip(numbers, pages, strict=False):
        placed, at = list[Block](), 0
        for b in blocks:
            placed.append(replace(b, start=at, end=at + len(b.text)))
            at += len(b.text) + len(BLOCK_SEPARATOR)
        text = BLOCK_SEPARATOR.join(b.text for b in blocks)
        whole.append(Page(number, str(number), 595, 842, text, text, tuple(placed)))
    return Document("doc", Path("doc.md"), "0" * 64, DocumentMetadata("Titre"), tuple(whole))


def count(text: str) -> int:
    return len(text.split())


def cut(*pages: list[Block], sizes: ChunkSettings = SIZES) -> list[Chunk]:
    return chunk(made(*pages), count, sizes)


def sizes_of(*pages: list[Block]) -> list[int]:
    found = cut(*pages)
    assert [c.tokens for c in found] == [count(c.text) for c in found]
    return [c.tokens for c in found]


def test_a_block_starts_a_chunk_once_the_target_is_reached_and_a_sentence_once_the_maximum_would_be_passed() -> None:
    assert sizes_of([block(words(5)), block(words(5))]) == [10]
    for first in (6, 7):
        assert sizes_of([block(words(first)), block(words(3))]) == [first, 3]
    assert sizes_of([block(words(6, 4))]) == [10]
    assert sizes_of([block(words(6, 5))]) == [6, 5]
    assert sizes_of([block(words(3, 3, 3, 3, 3))]) == [9, 6]


def test_a_section_starts_a_chunk() -> None:
    for first, second in ((X, Z), (Z, X), (X, XY), (XY, X)):
        assert sizes_of([block(words(3), section=first), block(words(3), section=second)]) == [3, 3]


def test_a_title_opens_a_chunk_and_stays_with_what_follows() -> None:
    title = block("Un titre", "title", XY)
    under = block("Un autre", "title", Z)
    found = cut([block(words(4)), title, under, block(words(4), section=Z), block(words(4), section=Z)])
    assert [c.text for c in found] == [words(4), f"Un titre\nUn autre\n{words(4)}", words(4)]
    assert [c.section for c in found] == [X, Z, Z]
    assert [c.kind for c in found] == ["body"] * 3
    (alone,) = cut([title])
    assert (alone.kind, alone.section) == ("body", XY)


def test_a_page_starts_a_chunk_however_small_but_for_a_sentence_that_goes_on() -> None:
    assert sizes_of([block(words(2))], [block(words(2))]) == [2, 2]
    assert sizes_of([block(words(2))], [block(words(2))], [block(words(2))]) == [2, 2, 2]
    for second, expected in ((10, [20]), (11, [10, 11])):
        assert sizes_of([block(words(10), goes_on=True)], [block(words(second))]) == expected
    (whole,) = cut([block("Une alliance", goes_on=True)], [block("de communes.")])
    assert (whole.text, whole.page, whole.page_end) == ("Une alliance de communes.", 1, 2)
    (joined,) = cut([block("une co-", goes_on=True)], [block("construction.")])
    assert joined.text == "une co-construction."


def test_a_sentence_goes_on_over_a_note_into_the_next_body_only() -> None:
    found = cut([block("Une alliance", goes_on=True), block("Une note.", "note")], [block("de communes.")])
    assert [(c.kind, c.text) for c in found] == [("body", "Une alliance de communes."), ("note", "Une note.")]
    found = cut([block("Une alliance", goes_on=True), block("Un point.", "list"), block("de communes. La suite.")])
    assert [c.text for c in found] == ["Une alliance\nUn point. de communes. La suite."]


def test_notes_and_tables_are_apart_in_their_place_and_gathered_up_to_the_minimum() -> None:
    note = block(words(2), "note")
    found = cut([block(words(6)), note, note, note, block(words(6)), block(words(4), "table")])
    assert [(c.kind, c.tokens) for c in found] == [("body", 6), ("note", 4), ("note", 2), ("body", 6), ("table", 4)]
    assert sizes_of([block(words(3), "note"), note]) == [3, 2]
    assert sizes_of([block(words(3, 3, 3), "note")]) == [9]
    assert sizes_of([note], [note]) == [2, 2]
    for first, second in ((X, Z), (Z, X)):
        assert sizes_of([block(words(2), "table", first), block(words(2), "table", second)]) == [2, 2]


def test_a_small_chunk_joins_its_section_first_then_the_one_before() -> None:
    big = block(words(6))
    other = block(words(6), section=Z)
    assert sizes_of([big, block(words(2)), other]) == [8, 6]
    assert sizes_of([big, block(words(2), section=XY), other]) == [8, 6]
    assert sizes_of([big, block(words(2), section=("Z", "Y")), other]) == [6, 8]
    assert sizes_of([big, block(words(2), section=("V",)), other]) == [8, 6]
    assert sizes_of([block(words(2), section=Z), big, other]) == [8, 6]
    for small, after in ((X, XY), (XY, X)):
        assert sizes_of([other, block(words(2), section=small), block(words(6), section=after)]) == [6, 8]
    assert sizes_of([big, block(words(3)), other]) == [6, 3, 6], "the minimum is enough"
    (joined,) = cut([block(words(2), section=Z), block(words(6))])
    assert joined.section == Z


def test_a_small_chunk_joins_only_where_both_fit_on_one_page() -> None:
    for first, expected in ((8, [10]), (9, [9, 2]), (10, [10, 2])):
        assert sizes_of([block(words(first)), block(words(2))]) == expected
        assert sizes_of([block(words(2), section=Z), block(words(first))]) == expected[::-1]
    assert sizes_of([block(words(9)), block(words(2)), block(words(6), section=Z)]) == [9, 8]
    assert sizes_of([block(words(6))], [block(words(2)), block(words(6), section=Z)]) == [6, 8]


def test_what_was_joined_joins_again_while_it_is_small() -> None:
    one = [block("Mot", section=(letter,)) for letter in "ABC"]
    assert sizes_of(one) == [3]
    assert sizes_of([*one, block("Mot", section=("D",))]) == [4]
    assert sizes_of([block(words(6), section=("V",)), *one]) == [9]


def test_the_kind_of_a_chunk_is_that_of_all_it_holds() -> None:
    title, item, text = block("Un titre", "title"), block(words(2), "list"), block(words(2))
    for blocks, kind in (
        ([item], "list"),
        ([title, item], "list"),
        ([item, text], "body"),
        ([text, item], "body"),
        ([block(words(2), "caption")], "caption"),
        ([block(words(2), "caption"), item], "body"),
    ):
        assert [c.kind for c in cut(blocks)] == [kind]
    (whole,) = cut([title, text, item])
    assert [s.kind for s in sentences(whole)] == ["title", "body", "list"]


def test_the_quality_of_a_chunk_is_that_of_its_words() -> None:
    (whole,) = cut([block(words(3)), block(words(1), quality=0.5)])
    assert whole.quality == 0.875
    (third,) = cut([block(words(1)), block(words(2), quality=0.0)])
    assert third.quality == 0.333
    (empty,) = chunk(made([block(words(3))]), lambda _: 0, SIZES)
    assert empty.quality == 0.0


def test_a_chunk_is_named_after_its_document_its_rank_and_its_text() -> None:
    first, second = cut([block(words(6))], [block(words(6))])
    assert (first.ordinal, second.ordinal) == (0, 1)
    assert first.text == second.text
    assert first.id != second.id
    assert {c.document_id for c in (first, second)} == {"doc"}
    assert all(c.id.startswith("doc:") and len(c.id) == len("doc:") + 12 for c in (first, second))
    assert cut([block(words(6))])[0].id == first.id
    assert cut([block(words(5))])[0].id != first.id


def test_sentences_keep_what_stands_between_them_even_where_a_page_is_missing() -> None:
    document = made([block("Un mot.")], [block("Deux mots.  Trois mots.")], numbers=(1, 3))
    assert [(c.page, c.text) for c in chunk(document, count, SIZES)] == [(1, "Un mot."), (3, "Deux mots.  Trois mots.")]


def test_a_place_of_a_chunk_is_found_on_its_pages() -> None:
    (whole,) = cut([block("Un titre", "title"), block("Une alliance", goes_on=True)], [block("de communes.")])
    assert whole.text == "Un titre\nUne alliance de communes."
    assert locate(whole.pieces, 0, 8) == [(1, 0, 8)]
    assert locate(whole.pieces, 9, 34) == [(1, 10, 22), (2, 0, 12)]
    assert locate(whole.pieces, 13, 21) == [(1, 14, 22)]
    assert locate(whole.pieces, 25, 33) == [(2, 3, 11)]
    assert locate(whole.pieces, 8, 9) == locate(whole.pieces, 5, 5) == []


def test_usual_sizes() -> None:
    short = [block(words(30)) for _ in range(20)]
    assert [c.tokens for c in chunk(made(short), count)] == [240, 240, 120]
    assert [c.tokens for c in chunk(made([block(words(*[20] * 20))]), count)] == [340, 60]
    assert [c.tokens for c in chunk(made([block(words(*[20] * 17)), block(words(59))]), count)] == [340, 59]
    assert [c.tokens for c in chunk(made([block(words(*[20] * 11)), block(words(59))]), count)] == [279]
    assert [c.tokens for c in chunk(made([block(words(*[20] * 11)), block(words(60))]), count)] == [220, 60]
