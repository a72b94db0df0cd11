"""Lines as a person reads them: raised calls, running heads, words and addresses cut at a line's end, close columns."""

from __future__ import annotations

import pytest

from corpus.joining import join_lines
from corpus.lines import Line, Span, lines
from corpus.links import whole_addresses
from corpus.margins import without_margins
from corpus.raw import RawPage
from corpus.read import read_here
from corpus.table_cells import rebuild
from corpus.table_grid import find_grids
from corpus.typeset import DOCUMENTS


def texts(*spans: tuple[str, float]) -> list[str]:
    return [line.text for line in lines([Span(text, x, 700.0, 10.0) for text, x in spans])]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([("Un rapport de 2015", 60.0), ("1", 150.0), (" a cherché", 153.0)], "Un rapport de 2015 a cherché"),
        ([("Le comité", 60.0), ("2", 110.0), (", dit-on", 113.0)], "Le comité, dit-on"),
        ([("Le comité", 60.0), ("2", 110.0), ("4 fois", 115.5)], "Le comité24 fois"),
        ([("une surface de 30 km", 60.0), ("2", 160.0), (" au plus", 163.0)], "une surface de 30 km2 au plus"),
    ],
    ids=["after a year", "after a word", "figures of the usual width", "a power"],
)
def test_raised_figures_of_the_same_size_are_calls(spans: list[tuple[str, float]], expected: str) -> None:
    assert texts(*spans) == [expected]


def test_a_call_at_a_line_s_end_is_known_by_its_note() -> None:
    spans = [
        Span("avec 200 participants", 60.0, 700.0, 10.0),
        Span("1", 160.0, 700.0, 10.0),
        Span("1", 70.0, 60.0, 9.0),
        Span("La rencontre a rendu hommage.", 73.0, 60.0, 9.0),
    ]
    found = lines(spans)
    assert [line.text for line in found] == ["avec 200 participants", "1 La rencontre a rendu hommage."]
    assert [line.raised for line in found] == [False, True]
    assert lines(spans[:2])[0].text == "avec 200 participants1"  # without a note, it may be anything


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        (["le programme ECO-", "SYSTEMES"], "le programme ECOSYSTEMES"),
        (["Charles-", "Benoît Heidsieck"], "Charles-Benoît Heidsieck"),
        (["https://exemple.fr/bilan-d-un-an-de-", "la-mission"], "https://exemple.fr/bilan-d-un-an-de-la-mission"),
        (["réussir à (ré)", "inventer"], "réussir à (ré)inventer"),
        (["les adhérents (dont deux", "élus)"], "les adhérents (dont deux élus)"),
    ],
)
def test_what_a_line_s_end_cuts(cut: list[str], whole: str) -> None:
    assert join_lines(cut) == whole


def test_an_address_cut_without_a_sign_is_whole_again_by_the_page_s_links() -> None:
    link = "https://www.exemple.fr/cahiers-de-recherche/"
    assert whole_addresses("Voir https://www.exe mple.fr/cahiers-de- recherche, p. 3.", [link]) == (
        "Voir https://www.exemple.fr/cahiers-de-recherche, p. 3."
    )
    other = "Voir https://www.exe mple.org et la suite."
    assert whole_addresses(other, [link, "mailto:a@exemple.fr"]) == other


def page(number: int, *rows: tuple[str, float, float]) -> RawPage:
    found = tuple(line for text, y, size in rows for line in lines([Span(text, 60.0, y, size)]))
    return RawPage(number, None, 595.0, 842.0, " ".join(row[0] for row in rows), found)


def shown(pages: tuple[RawPage, ...]) -> list[list[str]]:
    return [[line.text for line in page.lines] for page in pages]


def test_a_short_document_s_running_head_and_page_numbers_are_set_aside() -> None:
    pages = (
        page(1, ("Les alliances locales", 780, 20), ("Du texte assez long pour compter.", 700, 10), ("1", 30, 9)),
        page(2, ("Nous Les alliances locales", 800, 8), ("La suite du texte, longue aussi.", 700, 10), ("2", 30, 9)),
    )
    kept = without_margins(pages, "Les alliances locales")
    assert shown(kept) == [
        ["Les alliances locales", "Du texte assez long pour compter."],
        ["La suite du texte, longue aussi."],
    ]
    assert shown(without_margins(pages))[1][0] == "Nous Les alliances locales"  # unknown title: nothing tells
    assert [page.label for page in kept] == ["1", "2"]


def test_a_last_line_of_figures_that_counts_nothing_stays() -> None:
    pages = (page(1, ("Le nombre de communes est de", 700, 10), ("34", 60, 10)),)
    assert shown(without_margins(pages))[0][-1] == "34"


def test_rows_whose_columns_stand_close_are_rows_too() -> None:
    """The label of the third row nearly touches its value: only the column's edge parts them."""
    rows = [("Rôle", "Ce qu'il fait"), ("Fonds", "Finance les liens"), ("Institut pour la Recherche", "Copilote")]
    given: list[Line] = []
    for number, (label, value) in enumerate(rows):
        y = 700.0 - 16 * number
        given += lines([Span(label, 60.0, y, 10.0), Span(f" {value}", 190.0, y, 10.0)])
    [grid] = find_grids(given, 16.0)
    assert grid.rows == (
        "Rôle ; Ce qu'il fait",
        "Fonds : Ce qu'il fait Finance les liens",
        "Institut pour la Recherche : Ce qu'il fait Copilote",
    )


def test_one_word_for_each_head_makes_a_row() -> None:
    table = rebuild(
        [
            "Action collective",
            "Gestion publique",
            "EFFET MESURE",
            "CONFIANCE EFFICACITE",
            "COHESION DES",
            "ACTIONS MOYENS",
        ]
    )
    assert table is not None
    assert table.rows[2:] == (
        "EFFET MESURE : Action collective CONFIANCE ; Gestion publique EFFICACITE",
        "COHESION DES",
        "ACTIONS MOYENS",
    )


def test_our_own_fiches_are_read_as_they_were_written() -> None:
    """No call sticks to a word, no running head passes for a title, rows keep their label, lists end where they end."""
    pages = {
        name: "\n".join(page.text for page in read_here(DOCUMENTS / f"{name}.pdf").pages)
        for name in (
            "qui-est-qui",
            "sept-etapes-partenariat-strategique",
            "trois-leviers-interet-general",
            "chronologie",
        )
    }
    assert "Le RAMEAU : Son rôle Laboratoire de recherche empirique, fondé en 2006" in pages["qui-est-qui"]
    steps = pages["sept-etapes-partenariat-strategique"]
    assert (
        "6. Mettre en œuvre : Question à se poser Est-ce que cela avance ? ; Trace à garder Un point à date fixe"
        in steps
    )
    assert "Boussole 17 Les sept étapes" not in steps
    levers = pages["trois-leviers-interet-general"]
    assert "Un rapport collectif de 2015 a cherché" in levers
    assert "L’intérêt général regarde l’individu depuis le collectif." in levers
    assert "2024 : Événement 10e Rencontre des pionniers, avec 200 participants\n" in pages["chronologie"]
