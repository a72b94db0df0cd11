"""Whatever the text: sentences and chunks lose nothing, and every span leads back to its page."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.chunk import ChunkSettings, chunk, locate, sentences
from corpus.document import BLOCK_SEPARATOR, Block, Document, DocumentMetadata, Page
from corpus.joining import join_lines
from corpus.repair import repair
from corpus.sentences import split_sentences

# Pieces of French that the rules look at, among any characters at all.
SHREDS = st.sampled_from(
    [
        *(
            "M.",
            "art.",
            "1.",
            "12,5 %",
            "1 200",
            "l'alliance",
            "l’",
            "« ",
            " »",
            "…",
            "?!",
            "(",
            ")",
            "•",
            "–",
            "-",
            "\n",
        ),
        *(
            "www.odd17.org",
            "a@b.fr",
            "etc.",
            "N'",
            "ﬁn",
            "œuvre",
            "PARTIE",
            "Lorem",
            "\u00a0",
            "\u202f",
            "\u200b",
            "\u00ad",
        ),
        *("alliance-", "communes", "territoire", "é", "e\u0301", "\ufb01", "\t", "\r", "\x0c", "\u2028", "😀", "مرحبا"),
    ]
)
TEXT = st.lists(st.one_of(SHREDS, st.text(max_size=12)), max_size=30).map(" ".join)
LINE = TEXT.map(lambda text: " ".join(text.split()))
KINDS = st.sampled_from(["title", "body", "note", "table", "list", "caption"])
COMMON = settings(max_examples=150, deadline=None)


@COMMON
@given(TEXT)
def test_sentences_follow_each_other_and_leave_only_spaces_out(text: str) -> None:
    end, left = 0, ""
    for a, b in split_sentences(text):
        assert end <= a < b <= len(text)
        assert text[a:b] == text[a:b].strip()
        left += text[end:a]
        end = b
    assert not (left + text[end:]).strip()


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents of a few pages; blocks of all kinds, some going on in the next."""
    pages = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        blocks, at = list[Block](), 0
        for _ in range(draw(st.integers(0, 5))):
            lines = [line for line in draw(st.lists(LINE, min_size=1, max_size=3)) if line]
            kind, text = draw(KINDS), "\n".join(lines)
            if not text:
                continue
            section = tuple(draw(st.lists(st.sampled_from(["Un", "Deux", "Trois"]), max_size=2)))
            goes_on = kind == "body" and draw(st.booleans())
            quality = draw(st.floats(0, 1))
            blocks.append(Block(kind, text, at, at + len(text), section, continues=goes_on, quality=quality))
            at += len(text) + len(BLOCK_SEPARATOR)
        whole = BLOCK_SEPARATOR.join(block.text for block in blocks)
        pages.append(Page(number, str(number), 595, 842, whole, whole, tuple(blocks)))
    return Document("doc", Path("doc.md"), "0" * 64, DocumentMetadata("Titre"), tuple(pages))


@COMMON
@given(documents(), st.sampled_from([ChunkSettings(), ChunkSettings(8, 12, 3), ChunkSettings(1, 1, 1)]))
def test_chunks_hold_every_word_once_and_lead_back_to_their_pages(document: Document, sizes: ChunkSettings) -> None:
    chunks = chunk(document, lambda text: len(text.split()), sizes)
    pages = {page.number: page.text for page in document.pages}

    def signs(text: str) -> list[str]:  # a word cut at a page's end is whole again in its chunk
        return sorted("".join(text.split()))

    assert signs("".join(c.text for c in chunks)) == signs("".join(pages.values()))
    assert len({c.id for c in chunks}) == len(chunks)
    for item in chunks:
        for piece in item.pieces:
            size = piece.end - piece.start
            assert item.text[piece.offset : piece.offset + size] == pages[piece.page][piece.start : piece.end]
        found = sentences(item)
        assert "".join("".join(item.text[s.start : s.end].split()) for s in found) == "".join(item.text.split())
        for sentence in found:
            spans = locate(item.pieces, sentence.start, sentence.end)
            said = "".join("".join(pages[page][a:b].split()) for page, a, b in spans)
            assert said == "".join(item.text[sentence.start : sentence.end].split())


@COMMON
@given(TEXT)
def test_repair_takes_any_text_and_loses_no_sign_of_weight(text: str) -> None:
    mended = repair(text)
    before, after = ("".join(c for c in t if c.isalnum()) for t in (text, mended))
    assert len(after) >= 0.8 * len(before) - 4
    assert len(after) <= 1.3 * len(before) + 8, "ligatures open, nothing else is added"
    assert text.count("\n") == mended.count("\n")


@COMMON
@given(st.lists(LINE, max_size=8))
def test_joined_lines_lose_no_letter(lines: list[str]) -> None:
    def letters(text: str) -> str:
        return "".join(c for c in text if c.isalnum())

    assert letters(join_lines(lines)) == letters("".join(lines))


def test_only_a_body_that_goes_on_is_glued_to_the_next_and_usual_sizes_are_the_default() -> None:
    texts = [
        ("body", "Une phrase qui", True),
        ("body", "continue ici.", False),
        ("body", "Une autre.", False),
        ("list", "un point", False),
    ]
    blocks, at = [], 0
    for kind, text, goes_on in texts:
        blocks.append(Block(kind, text, at, at + len(text), continues=goes_on))  # type: ignore[arg-type]
        at += len(text) + len(BLOCK_SEPARATOR)
    whole = BLOCK_SEPARATOR.join(text for _, text, _ in texts)
    document = Document("d", Path("d"), "0", DocumentMetadata("T"), (Page(1, "1", 1, 1, whole, whole, tuple(blocks)),))
    (item,) = chunk(document, lambda text: len(text.split()))
    assert item.text == "Une phrase qui continue ici.\nUne autre.\nun point"
    assert next(item.text[s.start : s.end] for s in sentences(item)) == "Une phrase qui continue ici."
