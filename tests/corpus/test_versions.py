"""Which document is a newer version of which."""

from __future__ import annotations

import pytest

from corpus.versions import Superseded, Versioned, base_name, find_superseded, version

TEXT = " ".join(f"La commune numéro {i} réunit ses partenaires au mois {i}." for i in range(60))
OTHER = " ".join(f"Le bilan {i} montre une hausse de {i} adhérents." for i in range(60))


def superseded(*documents: Versioned, **texts: str) -> list[Superseded]:
    return find_superseded(documents, lambda id_: texts.get(id_, TEXT))


@pytest.mark.parametrize(
    ("name", "base", "number"),
    [
        ("guide-alliance-v2.1", "guide-alliance", (2, 1)),
        ("Guide de l’alliance (version 3)", "guide-de-lalliance", (3,)),
        ("Le guide, 2e édition", "le-guide", (2,)),
        ("Guide – édition 2024", "guide", (2024,)),
        ("Rapport annuel 2023", "rapport-annuel-2023", None),
        ("Valeurs de vie", "valeurs-de-vie", None),
    ],
)
def test_version_marks_of_names(name: str, base: str, number: tuple[int, ...] | None) -> None:
    assert (base_name(name), version(name)) == (base, number)


def test_the_newest_of_three_versions_stands_for_all() -> None:
    a, b, c = (Versioned(f"g{i}", "Guide", f"guide-v{i}") for i in (1, 2, 10))
    assert {(s.id, s.by) for s in superseded(a, b, c)} == {("g1", "g10"), ("g2", "g10")}


def test_dates_tell_where_names_do_not() -> None:
    old, new = Versioned("a", "Charte", "charte-a", "2022-03"), Versioned("b", "Charte", "charte-b", "2023-01-05")
    assert superseded(old, new) == [Superseded("a", "b")]
    assert superseded(old, Versioned("c", "Charte", "charte-c", "2022")) == []  # 2022 may be before or after March


def test_one_title_and_other_texts_are_two_documents() -> None:
    old, new = Versioned("a", "Rapport annuel", "r1", "2021"), Versioned("b", "Rapport annuel", "r2", "2022")
    assert superseded(old, new, b=OTHER) == []


def test_the_manifest_may_say_it_whatever_the_titles() -> None:
    old, new = Versioned("a", "Charte", "x"), Versioned("b", "Engagements", "y", replaces=("a", "absent"))
    assert superseded(old, new, b=OTHER) == [Superseded("a", "b")]


def test_two_that_say_they_replace_each_other_both_stay() -> None:
    a, b = Versioned("a", "A", "x", replaces=("b",)), Versioned("b", "B", "y", replaces=("a",))
    assert superseded(a, b) == []
