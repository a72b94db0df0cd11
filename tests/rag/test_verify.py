"""The verifier, sentence by sentence: what its quotes don't say is named, what they say is kept."""

from __future__ import annotations

import pytest

from rag.compose import DraftSentence, Quote
from rag.verify import numbers, unsupported, verify

QUOTE = "La prime à l'alliance verse 300 € par projet à 660 communes de France, avec la Fondation des Territoires, depuis 2016."


def sentence(text: str, *quotes: str) -> DraftSentence:
    told = tuple(Quote("doc", 1, 0, len(q), q, (), 1.0) for q in quotes)
    return DraftSentence(text, told)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1 200 euros", {"1200"}),
        ("1\u202f200 et 1\u00a0300", {"1200", "1300"}),
        ("12,5 % puis 0.5", {"12.5", "0.5"}),
        ("rien", set()),
        ("un appel [1] et [2, 3]", set()),
        ("30 projets [1]", {"30"}),
    ],
)
def test_numbers_are_read_as_a_person_reads_them(text: str, found: set[str]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    "text",
    [
        QUOTE,
        "La prime verse 300 € par projet.",
        "660 communes de France ont la prime à l'alliance.",
        "La prime à l'alliance verse 300 € par projet à la Fondation des Territoires.",
    ],
)
def test_what_the_quote_says_is_kept(text: str) -> None:
    assert unsupported(sentence(text, QUOTE)) == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("La prime verse 400 € par projet.", "400"),
        ("La prime à l'alliance ne verse pas 300 € par projet.", "négation"),
        ("La prime n'est jamais à 300 € par projet.", "négation"),
        ("La prime à l'alliance verse cent euros par projet.", "cent"),
        ("La prime à l'alliance de la Fondation Martin verse 300 € par projet.", "Martin"),
        ("La prime à l'alliance verse 300 € par projet, voir www.prime.fr.", "www.prime.fr."),
        ("Les entreprises cotées financent surtout la recherche médicale.", "…"),
        ("prime prime prime prime prime prime.", "…"),
        ("La prime à l'alliance par projet est positive.", "posit"),
    ],
)
def test_what_the_quote_does_not_say_is_named(text: str, missing: str) -> None:
    told = sentence(text, QUOTE)
    assert missing in unsupported(told)
    assert verify([told]) == ([], [told])


def test_a_sentence_without_a_quote_is_dropped_and_the_others_keep_their_order() -> None:
    bare, first, second = (
        sentence("La prime verse 300 € par projet."),
        sentence(QUOTE, QUOTE),
        sentence("La prime.", QUOTE),
    )
    assert verify([first, bare, second]) == ([first, second], [bare])


def test_several_quotes_support_together() -> None:
    other = "Le fonds ne finance aucune entreprise, voir https://odd17.org/prime."
    told = sentence(
        "La prime verse 300 € par projet et ne finance aucune entreprise, voir https://odd17.org/prime.", QUOTE, other
    )
    assert unsupported(told) == []


def test_a_spelled_number_may_stand_in_figures() -> None:
    assert unsupported(sentence("Les sept modèles de prime par commune.", "Les 7 modèles de prime par commune.")) == []
    assert "sept" in unsupported(
        sentence("Les sept modèles de prime par commune.", "Les huit modèles de prime par commune.")
    )


@pytest.mark.parametrize(
    ("spelled", "figures"), [("trente", 30), ("quarante", 40), ("cinquante", 50), ("cent", 100), ("mille", 1000)]
)
def test_round_numbers_too(spelled: str, figures: int) -> None:
    told = sentence(f"Une prime de {spelled} euros par commune.", f"Une prime de {figures} euros par commune.")
    assert unsupported(told) == []


def test_shared_words_are_counted_to_seven_tenths() -> None:
    quote = "alpha bravo charlie delta echo foxtrot golf"
    assert unsupported(sentence("alpha bravo charlie delta echo foxtrot golf hotel india juliet", quote)) == []
    assert unsupported(sentence("alpha bravo charlie delta echo foxtrot hotel india juliet kilo", quote)) == ["…"]


COLOURS = "rouge vert bleu jaune noir blanc gris rose brun violet orange mauve beige ocre".split()


def apart(distance: int, before: bool, place: int) -> str:
    """« communes » so many words from 660, before or after it, the first of the two at `place`."""
    between = COLOURS[: distance - 1]
    pair = ["communes", *between, "660"] if before else ["660", *between, "communes"]
    return " ".join([*(COLOURS * 2)[len(between) :][:place], *pair, *COLOURS[len(between) :]])


@pytest.mark.parametrize("place", range(14))
@pytest.mark.parametrize("before", [True, False])
def test_what_a_number_counts_is_sought_four_words_around_in_the_sentence_and_eight_in_the_quote(
    before: bool, place: int
) -> None:
    for distance in range(1, 12):
        far = apart(distance, before, place)
        assert ("660" in unsupported(sentence(far, "660 communes"))) == (distance > 4)
        assert ("660" in unsupported(sentence("660 communes", far))) == (distance > 8)


def test_a_number_that_counts_something_else_is_named_wherever_it_stands() -> None:
    for place in range(1, 7):
        assert "660" in unsupported(sentence(" ".join([*COLOURS[:place], "660"]), "660 communes"))


def test_another_number_beside_the_word_is_no_support() -> None:
    quote = f"12 communes {' '.join(COLOURS)} 660 projets"
    assert "660" in unsupported(sentence("660 communes", quote))
    assert unsupported(sentence("660 projets", quote)) == []


def test_only_numbers_are_held_to_their_place() -> None:
    quote = f"Pour le fonds, {' '.join(COLOURS)} : une alliance, une commune."
    assert unsupported(sentence("Une alliance pour une commune.", quote)) == []


def test_a_small_word_with_a_capital_is_no_name() -> None:
    told = "Le fonds Pour la commune."
    for quote in ("Le fonds pour la commune.", "Le fonds aide la commune."):
        assert unsupported(sentence(told, quote)) == []


def test_a_number_near_its_word_only() -> None:
    far = "660 communes " + "très loin ailleurs encore plus loin puis enfin là-bas vers ici " * 2 + "des projets"
    assert "660" in unsupported(sentence("Il y a 660 projets.", far))
    assert "660" not in unsupported(sentence("Il y a 660 communes.", far))


def test_an_address_at_the_end_of_a_sentence_is_the_same_without_its_stop() -> None:
    assert (
        unsupported(sentence("Voir la prime sur www.odd17.org.", "Voir la prime sur www.odd17.org pour la suite")) == []
    )


def test_half_of_the_words_may_come_twice() -> None:
    assert unsupported(sentence("alpha bravo alpha bravo", "alpha bravo")) == []


def test_the_first_word_counts_beside_a_number() -> None:
    assert unsupported(sentence("Communes : 660 ici.", "Communes : 660 là-bas.")) == []


GUIDE = "La charte a été signée avec la ministre, et le guide a été diffusé le 5 septembre, à l'occasion d'un très grand congrès, le forum."


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Le guide a été diffusé le 5 septembre.", True),
        ("Il a été diffusé le 5 septembre.", True),
        ("La charte est signée avec la ministre.", True),
        ("Le forum a été diffusé le 5 septembre.", False),
        ("Le congrès est signé avec la ministre.", False),
    ],
)
def test_what_was_done_to_one_thing_is_not_said_of_another(text: str, kept: bool) -> None:
    assert bool(verify([sentence(text, GUIDE)])[0]) is kept
