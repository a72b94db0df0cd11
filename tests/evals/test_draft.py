"""From a document, or from what people asked, to references: in a terminal, as a person does it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pexpect
import pytest
from desk import Desk, heeds_ctrl_c

from evals.asking import ask, first_words
from evals.corpus_pages import opened
from evals.draft import candidates
from evals.questions import load_questions
from evals.stale import staleness

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("sentence", "question", "fact"),
    [
        ("L’Agenda 2030 compte 17 objectifs, adoptés en 2015.", "Combien d’objectifs compte l’Agenda 2030 ?", "17 objectifs"),
        ("Le maximum de points du label est de 500 points.", "À combien s’élève le maximum de points du label ?", "500 points"),
        ("La sobriété est un ensemble de mesures.", "Qu’est-ce que la sobriété ?", "un ensemble de mesures"),
        ("Les visites annuelles sont un élément clé.", "Que sont les visites annuelles ?", "un élément clé"),
        ("La Fabrique a été créée en 2019 à Lille.", "Quand est-ce que la Fabrique a été créée ?", "2019"),
        ("Le Pass permet d’obtenir une réduction.", "À quoi sert le Pass ?", "obtenir une réduction"),
        ("Les auditeurs sont référencés par l'ADEME.", "Par qui sont référencés les auditeurs ?", "l'ADEME"),
        ("Les rapports sont transmis à l'ADEME.", "À qui sont transmis les rapports ?", "l'ADEME"),
        ("L’objectif de l’étude est de comparer dix villes.", "Quel est l’objectif de l’étude ?", "comparer dix villes"),
        ("Pour trouver des idées, il faut écouter les habitants.", "Comment trouver des idées ?", "écouter les habitants"),
        ("Les axes : agir ensemble, mesurer, transmettre.", "Pouvez-vous citer les axes ?", "agir ensemble"),
    ],
)  # fmt: skip
def test_a_sentence_suggests_a_whole_question(sentence: str, question: str, fact: str) -> None:
    found = next(ask(sentence))
    assert (found.question, found.facts[0]) == (question, (fact,))


@pytest.mark.parametrize(
    "sentence",
    [
        "La jurisprudence avait rappelé que les régies antérieures à la nationalisation de 1946 étaient soumises.",
        "La demande mentionnée à l'article 4 est adressée.",
        "L’objectif de la phase 2 de l’étude était de construire l’outil.",
        "Le premier est un texte.",
        "NOTA : ces dispositions entrent en vigueur demain.",
    ],
)
def test_a_sentence_that_says_nothing_alone_suggests_nothing(sentence: str) -> None:
    assert list(ask(sentence)) == []


def test_a_fact_is_cut_where_it_reads_well() -> None:
    assert (
        first_words("C’est une réunion à laquelle vous invitez les habitants") == "une réunion à laquelle vous invitez"
    )
    assert first_words("la feuille de route de la commune et de l’agglomération") == "la feuille de route"


@pytest.mark.slow
def test_candidates_rest_on_their_page_and_ask_no_two_things_alike(accepted_desk: Desk) -> None:
    with opened(accepted_desk.settings.index) as (generation, book):
        for document_id in generation.documents:
            found = candidates(generation, document_id)
            assert len(found) >= 3, document_id
            assert staleness(found, book).stale == ()
            assert len({q.question for q in found}) == len(found)


class Terminal:
    """`evals` in a terminal of its own."""

    def __init__(self, *words: str) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "dumb", "COLUMNS": "200"}
        self.process = pexpect.spawn(
            sys.executable, ["-m", "evals.cli", *words], cwd=ROOT, env=environment, encoding="utf-8", timeout=90,
            dimensions=(50, 200), echo=False, preexec_fn=heeds_ctrl_c,
        )  # fmt: skip

    def answer(self, prompt: str, typed: str) -> None:
        self.process.expect_exact(prompt)
        self.process.sendline(typed)

    def end(self) -> int:
        self.process.expect(pexpect.EOF)
        self.process.close()
        return int(self.process.exitstatus)


@pytest.mark.slow
def test_candidates_are_kept_rewritten_and_dropped_and_ctrl_c_loses_none(accepted_desk: Desk, tmp_path: Path) -> None:
    target = tmp_path / "relues.jsonl"
    terminal = Terminal("draft", "quatre-c", "--index", str(accepted_desk.settings.index), "--out", str(target))
    terminal.answer("[q]uitter", "o")
    terminal.answer("[q]uitter", "m")
    terminal.answer("question [", "Pourquoi financer l’ingénierie ?")
    terminal.answer("faits attendus", "rentable | payant ; leviers")
    terminal.answer("preuve, mot pour mot", "Rien de tel sur aucune page.")
    terminal.process.expect_exact("aucune page ne porte cette preuve")
    evidence = "Un financeur qui paie seulement les actions laisse de côté trois leviers sur quatre."
    terminal.answer("preuve, mot pour mot", evidence)
    terminal.process.expect_exact("gardée : r002")
    terminal.answer("[q]uitter", "n")
    terminal.process.expect_exact("[q]uitter")
    terminal.process.sendintr()
    terminal.process.expect_exact("2 question(s)")
    assert terminal.end() == 0
    kept = load_questions([target], "measuring")
    assert [q.id for q in kept] == ["r001", "r002"]
    assert (kept[1].question, kept[1].facts) == (
        "Pourquoi financer l’ingénierie ?",
        (("rentable", "payant"), ("leviers",)),
    )
    assert (kept[1].document_id, kept[1].evidence) == ("quatre-c", (evidence,))
    with opened(accepted_desk.settings.index) as (_, book):
        assert staleness(kept, book).stale == ()


@pytest.mark.slow
def test_from_feedback_to_reviewed_references(accepted_desk: Desk, tmp_path: Path) -> None:
    """What displeased comes first; a person says what proves the right answer, or that the corpus doesn't say."""
    opinions, target = tmp_path / "avis.jsonl", tmp_path / "relues.jsonl"
    rows = [
        {"question": "Que sont les 4 C ?", "rating": 1},
        {"question": "Quel est le prix du pain à Marseille ?", "rating": -1, "comment": "hors sujet"},
        {"question": None, "rating": -1},
        {"question": "Qui a signé l’Agenda 2030 ?", "rating": -1},
    ]
    opinions.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    index = str(accepted_desk.settings.index)
    terminal = Terminal("draft", "--feedback", str(opinions), "--index", index, "--out", str(target))
    terminal.process.expect_exact("1/3")
    terminal.process.expect_exact("prix du pain")
    terminal.answer("[q]uitter", "s")
    terminal.answer("question (sans donnée personnelle)", "")
    terminal.process.expect_exact("Agenda 2030")
    terminal.answer("[q]uitter", "e")
    terminal.answer("question (sans donnée personnelle)", "Qui a signé l’Agenda 2030 en 2015 ?")
    terminal.answer("extrait, mot pour mot", "signé en 2015 à l’unanimité des 193 États membres des Nations Unies")
    terminal.process.expect_exact("trouvé : agenda-2030 p. 1")
    terminal.answer("faits attendus", "193 États")
    terminal.answer("réponse attendue", "Les 193 États membres des Nations Unies.")
    terminal.process.expect_exact("Que sont les 4 C")
    terminal.answer("[q]uitter", "c")
    terminal.answer("question (sans donnée personnelle)", "")
    terminal.answer("numéros des citations justes", "1")
    terminal.answer("faits attendus", "connaissance")
    terminal.answer("réponse attendue", "")
    terminal.process.expect_exact("3 question(s)")
    assert terminal.end() == 0
    lost, signed, four = load_questions([target], "measuring")
    assert (lost.answerable, lost.kind) == (False, "unanswerable")
    assert (signed.question, signed.document_id, signed.pages) == (
        "Qui a signé l’Agenda 2030 en 2015 ?",
        "agenda-2030",
        (1,),
    )
    assert four.document_id == "quatre-c"
    with opened(accepted_desk.settings.index) as (_, book):
        assert staleness([signed, four], book).stale == ()
