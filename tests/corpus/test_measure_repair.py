"""The repair, measured both ways: it restores most of what OCR damaged, and leaves good words alone."""

from __future__ import annotations

import pytest

from corpus.measure_repair import DOCUMENTS, Measure, compare, measure, paragraphs
from corpus.noise import ACCENTS_ONLY, Rates, damage

CLEAN = paragraphs(sorted(DOCUMENTS.glob("*.md")))


def test_noise_is_restored_and_little_is_harmed() -> None:
    found = measure(CLEAN, Rates(), True)
    assert found.restored_share >= 0.85
    assert found.harmed_share <= 0.001


def test_lost_accents_come_back() -> None:
    found = measure(CLEAN, ACCENTS_ONLY, True)
    assert found.restored_share >= 0.9
    assert found.harmed_share <= 0.001


def test_clean_text_stays_as_it_is() -> None:
    assert measure(CLEAN, None, None).harmed_share <= 0.0001


def test_counts_are_of_words() -> None:
    assert compare("l’accord est là", "I'accord est la", "l'accord est la") == Measure(2, 1, 1, 0)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_noise_is_the_same_for_the_same_seed(seed: int) -> None:
    text = " ".join(CLEAN[:3])
    assert damage(text, seed) == damage(text, seed)
    assert damage(text, seed) != text
