"""The headings that a text stands under: by the size of their type, by their numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from fpdf import FPDF

from corpus.headings import Heading, under
from corpus.layout import FIGURE
from corpus.read import read


def sections(*headings: tuple[str, float]) -> list[tuple[str, ...]]:
    above: list[Heading] = []
    return [under(text, size, above, body=10.0) for text, size in headings]


def test_a_heading_stands_under_one_of_larger_type() -> None:
    assert sections(("Fabrique des alliances", 20), ("L’équipe", 12), ("Son budget", 12), ("Atelier", 20)) == [
        ("Fabrique des alliances",),
        ("Fabrique des alliances", "L’équipe"),
        ("Fabrique des alliances", "Son budget"),
        ("Atelier",),
    ]


def test_a_number_says_what_it_stands_under_whatever_the_type() -> None:
    assert sections(
        ("Article 3. Le processus", 11), ("3.1 Le dépôt", 12), ("3.2 L’audit", 10), ("Article 4. Le label", 11)
    ) == [
        ("Article 3. Le processus",),
        ("Article 3. Le processus", "3.1 Le dépôt"),
        ("Article 3. Le processus", "3.2 L’audit"),
        ("Article 4. Le label",),
    ]


def test_headings_no_larger_than_the_text_say_nothing_of_what_is_under() -> None:
    """A scan's type is measured line by line: 10 over 8 may be one size."""
    assert sections(("Modèles", 10), ("Étapes", 8)) == [("Modèles",), ("Étapes",)]


def test_nothing_stands_under_a_table_of_contents() -> None:
    assert sections(("Sommaire", 20), ("Introduction", 12))[-1] == ("Introduction",)


def test_only_the_two_nearest_are_kept() -> None:
    assert sections(("Guide", 30), ("Partie", 20), ("Chapitre", 15))[-1] == ("Partie", "Chapitre")


def test_a_card_s_labels_take_their_figures_and_its_title_is_over_it(tmp_path: Path) -> None:
    pdf = FPDF()
    pdf.add_page()
    for size, y, text in (
        (24, 30, "Fabrique des alliances"),
        (10, 60, "Nous aidons les communes et les associations qui veulent agir ensemble, depuis le premier jour."),
        (10, 66, "Chaque projet dure dix-huit mois et se termine par une fête où chacun raconte ce qu'il a appris."),
        (14, 90, "L'équipe"),
        (10, 100, "Les personnes qui la composent viennent de cinq métiers et travaillent dans trois villes voisines."),
        (10, 130, "Budget 2024"),
        (10, 145, "175 000 euros"),
        (10, 160, "Nb. de projets"),
        (10, 175, "49"),
    ):
        pdf.set_font("helvetica", size=size)
        pdf.text(20, y, text)
    path = tmp_path / "carte.pdf"
    pdf.output(str(path))
    blocks = read(path).pages[0].blocks
    text = "\n".join(block.text for block in blocks)
    assert "Budget 2024 : 175 000 euros" in text
    assert "Nb. de projets : 49" in text
    assert all(block.section[0] == "Fabrique des alliances" for block in blocks)
    assert blocks[-1].section[-1] == "L'équipe"


@pytest.mark.parametrize("text", ["134 personnes", "4 ETP", "12,5 M€", "49"])
def test_what_a_card_counts_is_no_heading(text: str) -> None:
    assert FIGURE.match(text)


@pytest.mark.parametrize("text", ["4 Conclusion", "3.1 Le dépôt", "7 étapes pour réussir un partenariat"])
def test_a_numbered_heading_is_no_figure(text: str) -> None:
    assert not FIGURE.match(text)
