"""What OCR saw around a drawing's labels isn't said."""

from __future__ import annotations

import pytest

from rag.legible import legibility, without_scraps


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("I | ti Innovation dans la chaîne : o", "Innovation dans la chaîne"),
        ("- L Politiques £ =il publiques", "Politiques publiques"),
        ("Prospective (28 ans => 2050) au cœur (60 %)", "Prospective (28 ans 2050) au cœur (60 %)"),
        ("Budget 2024 : 1,75 M€", "Budget 2024 : 1,75 M€"),
        ("Financement par le FDVA et la CDC", "Financement par le FDVA et la CDC"),
    ],
)
def test_a_drawing_s_label_is_said_without_scraps(cell: str, said: str) -> None:
    assert without_scraps(cell) == said


def test_an_e_mail_address_reads_well() -> None:
    assert legibility("Écrivez à bonjour@exemple-xyz.org") == 1.0
