"""A line of heads over as many lists gives each list its own; anything else is left as it is."""

from __future__ import annotations

import pytest

from corpus.columns import find_columns
from corpus.lines import Cell, Line
from corpus.pieces import Break, Piece, Placed

HEADS = "Richesses humaines Financement Alliances"


def piece(*texts: str, brk: Break = "same") -> Piece:
    lines = (Placed(Line((Cell(text, 50.0, 200.0),), 700.0, 10.0), brk, 250.0) for text in texts)
    return Piece(tuple(lines), bullet=texts[0][0] in "-«=")


def drawing(heads: str = HEADS, third: str = "« De moyens", brk: Break = "gap") -> list[Piece]:
    """A box's name with the heads under it; three lists, the first two parted by a text, the last by a blank and another sign."""
    return [
        piece("Un modèle économique", heads, brk="gap"),
        piece("- Salariés", brk="gap"),
        piece("= Stagiaires"),
        piece("Cette tendance est visible dans les partenariats.", brk="gap"),
        piece("- Subventions", brk="gap"),
        piece("- Dons"),
        piece(third, brk=brk),
        piece("« De production"),
        piece("Le mode qui répond le mieux.", brk="gap"),
    ]


def test_each_list_gets_the_head_of_its_rank() -> None:
    found = find_columns(drawing())
    assert found.heads == {1: "Richesses humaines", 4: "Financement", 6: "Alliances"}
    assert found.lines == {0}


@pytest.mark.parametrize(
    "pieces",
    [
        drawing(heads="Richesses humaines Financement"),  # fewer heads than lists
        drawing(heads="Richesses Financement Alliances Territoires"),  # more
        drawing(heads="Les trois piliers sont connus"),  # a sentence
        drawing(heads="Fonds 2020 Conseil Alliances"),  # not only names
        drawing(brk="same"),  # the third list isn't parted from the second
        drawing(third="- De moyens"),
        drawing(heads="NOTRE MODÈLE ÉCONOMIQUE"),  # titles
        drawing(heads="Notre Feuille Commune"),
        [*drawing()[:3], piece("Un autre chapitre", brk="gap"), *drawing()[4:]],  # a title between the lists
        [*drawing()[:3], piece("Il y a deux aides :", brk="gap"), *drawing()[4:]],  # a list that is announced
        [*drawing()[:6], drawing()[3], *drawing()[6:]],  # a text before each list
        drawing()[:1],  # no list at all
        [drawing()[0], *drawing()[3:]],  # a text first
        [*drawing()[1:]],  # no heads
    ],
)
def test_anything_else_is_left_as_it_is(pieces: list[Piece]) -> None:
    found = find_columns(pieces)
    assert not found.heads
    assert not found.lines
