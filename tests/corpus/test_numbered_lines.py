"""Numbers and bullets set apart from what they stand before: an item each, no table, no run-on paragraph."""

from __future__ import annotations

from pathlib import Path

import pytest
from fpdf import FPDF

from corpus.lines import Cell, Line
from corpus.pieces import BULLET, SECTION
from corpus.read import read
from corpus.table_grid import find_grids


def rows(*texts: tuple[str, str]) -> list[Line]:
    return [
        Line((Cell(mark, 60.0, 80.0), Cell(text, 120.0, 300.0)), 700.0 - 12 * i, 10.0)
        for i, (mark, text) in enumerate(texts)
    ]


@pytest.mark.parametrize("marks", ["1.2.1 1.2.2 1.2.3 1.2.4", "- - - -", "• • • •", "1. 2. 3. 4.", "a) b) c) d)"])
def test_marks_and_what_they_stand_before_are_no_table(marks: str) -> None:
    lines = rows(*((mark, f"Former la personne {n}") for n, mark in enumerate(marks.split())))
    assert find_grids(lines, 12.0) == ()


def test_things_and_their_figures_are_a_table() -> None:
    lines = rows(("Durée", "Tarif"), ("2 heures", "1,20 €"), ("3 heures", "2,40 €"), ("4 heures", "3,00 €"))
    assert [grid.rows[1:] for grid in find_grids(lines, 12.0)] == [
        ("2 heures : Tarif 1,20 €", "3 heures : Tarif 2,40 €", "4 heures : Tarif 3,00 €")
    ]


@pytest.mark.parametrize("text", ["è Le lieu a peu d'importance", "Ø Un vœu", "ü Fait"])
def test_arrows_of_a_font_of_signs_are_bullets(text: str) -> None:
    assert BULLET.match(text)


@pytest.mark.parametrize(
    ("text", "opens"), [("1.2.3 Former", True), ("2.4.2.1 Mettre", True), ("1.2 million", False), ("12.03.2024", False)]
)
def test_a_section_s_number_opens_a_piece(text: str, opens: bool) -> None:
    assert bool(SECTION.match(text)) is opens


def test_numbered_lines_are_read_one_by_one_and_their_text_apart(tmp_path: Path) -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", size=11)
    for text in (
        "1.2.1 Former en interne",
        "La ville forme les agents qui le demandent, dans tous les services et tout au long de leur vie.",
        "1.2.1.1 Former les agents de la voirie",
        "1.2.1.2 Former plus de 20 pour cent des personnes qui siègent au conseil",
        "1.2.2 Mettre en place des groupes",
        "Les groupes de travail se retrouvent chaque mois pour parler de ce qui a été fait et de ce qui reste.",
    ):
        pdf.cell(0, 5, text, new_x="LMARGIN", new_y="NEXT")
    pdf.output(str(tmp_path / "referentiel.pdf"))
    lines = [line for line in read(tmp_path / "referentiel.pdf").pages[0].text.splitlines() if line]
    assert "1.2.1.1 Former les agents de la voirie" in lines
    assert "1.2.2 Mettre en place des groupes" in lines
    assert lines[-1].startswith("Les groupes de travail")
