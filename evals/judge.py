"""A second opinion on answers from any OpenAI-compatible model: faithful to its quotes? useful to who asked?

An opinion is kept on disk by model and prompt, so that a run is judged once. It never decides anything: it is shown beside
our deterministic metrics, with how often they agree. Prompts in the manner of G-Eval (Liu et al., EMNLP 2023): one
criterion, one mark from 1 to 5.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from corpus.errors import ConfigurationError, LLMError
from evals.intervals import Figure, share
from evals.observe import Line
from evals.run import Run
from evals.summary import french
from rag.settings import Settings

JUDGED = "judge.json"
GOOD = 4  # marks from which an answer counts as faithful, as useful
Criterion = Literal["faithful", "helpful"]
PROMPTS: dict[Criterion, str] = {
    "faithful": (
        "Tu notes si une réponse ne dit que ce que disent les extraits.\n\nExtraits :\n{quotes}\n\nRéponse :\n{answer}\n\n"
        "Note de 1 (rien n'est dans les extraits) à 5 (tout y est). Réponds par un seul chiffre."
    ),
    "helpful": (
        "Tu notes si une réponse répond à la question.\n\nQuestion :\n{question}\n\nRéponse :\n{answer}\n\n"
        "Note de 1 (elle n'y répond pas) à 5 (elle y répond entièrement). Réponds par un seul chiffre."
    ),
}
# What each opinion is set beside: the deterministic metric, and from which value it says « good ».
BESIDE: dict[Criterion, tuple[str, float]] = {"faithful": ("words_supported", 0.9), "helpful": ("facts", 1.0)}
Ask = Callable[[str], str]


class Opinion(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    faithful: int | None  # 1 to 5; None: the model gave no mark
    helpful: int | None


class Agreement(BaseModel):
    """How often the model and a metric say the same of an answer; kappa (Cohen, 1960) takes chance away, None where one
    of them never changes its mind."""

    model_config = ConfigDict(frozen=True)

    metric: str
    n: int
    same: float
    kappa: float | None


class Judgement(BaseModel):
    model_config = ConfigDict(frozen=True)

    model: str
    n: int
    unread: int  # opinions in which no mark could be read
    faithful: Figure | None
    helpful: Figure | None
    agreement: dict[Criterion, Agreement]
    opinions: tuple[Opinion, ...]

    def in_words(self) -> str:
        """For the terminal and the report."""
        parts = [f"Avis du modèle {self.model} sur {self.n} réponses"]
        for figure, words in ((self.faithful, "fidèles à leurs citations"), (self.helpful, "utiles")):
            if figure is not None:
                parts.append(french(f"{words} : {figure.value:.3f} [{figure.low:.3f} – {figure.high:.3f}]"))
        for found in self.agreement.values():
            kappa = "sans objet (l'un des deux ne varie pas)" if found.kappa is None else french(f"{found.kappa:.2f}")
            parts.append(f"accord avec « {found.metric} » : {french(f'{found.same:.0%}')}, kappa {kappa}")
        if self.unread:
            parts.append(f"{self.unread} avis sans note lisible")
        return " ; ".join(parts) + "."


def judge_run(run: Run, settings: Settings, done: Callable[[int], None] = lambda _: None) -> Judgement:
    """Ask the configured model about every answered question, and write judge.json in the run.

    Raises ConfigurationError where no model is configured, LLMError where it doesn't answer."""
    if not settings.llm_base_url:
        raise ConfigurationError(
            "Aucun modèle pour --judge : donnez BOUSSOLE_LLM_BASE_URL et BOUSSOLE_LLM_MODEL (un service compatible OpenAI)."
        )
    with closing(_Cache(settings.cache / "judge.sqlite")) as cache:
        found = judge_lines(run.lines, settings.llm_model, cache.through(settings.llm_model, _client(settings)), done)
    (run.folder / JUDGED).write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return found


def judge_lines(lines: Sequence[Line], model: str, ask: Ask, done: Callable[[int], None] = lambda _: None) -> Judgement:
    answered = [line for line in lines if line.answer is not None and line.answer.status == "answered"]
    opinions = []
    for number, line in enumerate(answered, 1):
        opinions.append(_opinion(line, ask))
        done(number)
    unread = sum((o.faithful is None) + (o.helpful is None) for o in opinions)
    return Judgement(
        model=model,
        n=len(opinions),
        unread=unread,
        faithful=_share(o.faithful for o in opinions),
        helpful=_share(o.helpful for o in opinions),
        agreement={c: a for c in PROMPTS if (a := _agreement(answered, opinions, c)) is not None},
        opinions=tuple(opinions),
    )


def mark(text: str) -> int | None:
    """The first mark from 1 to 5 that stands alone in a model's reply."""
    found = re.search(r"(?<![\d.,])[1-5](?!\d|[.,]\d)", text)
    return int(found.group()) if found else None


def _opinion(line: Line, ask: Ask) -> Opinion:
    assert line.answer is not None
    fields = {
        "question": line.answer.standalone_question,
        "answer": line.answer.answer,
        "quotes": "\n".join(f"[{c.n}] {c.quote}" for c in line.answer.citations),
    }
    marks = {criterion: mark(ask(prompt.format(**fields))) for criterion, prompt in PROMPTS.items()}
    return Opinion(id=line.id, faithful=marks["faithful"], helpful=marks["helpful"])


def _share(marks: Iterable[int | None]) -> Figure | None:
    return share([float(m >= GOOD) for m in marks if m is not None])


def _agreement(lines: Sequence[Line], opinions: Sequence[Opinion], criterion: Criterion) -> Agreement | None:
    metric, enough = BESIDE[criterion]
    pairs = []
    for line, opinion in zip(lines, opinions, strict=True):
        given = getattr(opinion, criterion)
        if given is not None and metric in line.values:
            pairs.append((given >= GOOD, line.values[metric] >= enough))
    if not pairs:
        return None
    theirs, ours = np.array(pairs, bool).T
    same = float((theirs == ours).mean())
    chance = float(theirs.mean() * ours.mean() + (1 - theirs.mean()) * (1 - ours.mean()))
    fixed = theirs.min() == theirs.max() or ours.min() == ours.max()
    return Agreement(metric=metric, n=len(pairs), same=same, kappa=None if fixed else (same - chance) / (1 - chance))


def _client(settings: Settings) -> Ask:
    from llama_index.llms.openai_like import OpenAILike

    llm: Any = OpenAILike(
        model=settings.llm_model,
        api_base=settings.llm_base_url,
        api_key=settings.llm_api_key.get_secret_value() or "none",
        is_chat_model=True,
        temperature=0.0,
        max_tokens=16,
        timeout=settings.llm_timeout,
        max_retries=1,
    )

    def ask(prompt: str) -> str:
        from llama_index.core.llms import ChatMessage
        from openai import OpenAIError

        try:
            return str(llm.chat([ChatMessage(role="user", content=prompt)]).message.content or "")
        except (OpenAIError, ValueError, LookupError, TypeError, AttributeError) as error:
            # refused, unreachable, or a reply that isn't the OpenAI form
            raise LLMError(
                "Le modèle de --judge ne répond pas, ou pas comme un service OpenAI : vérifiez BOUSSOLE_LLM_BASE_URL et BOUSSOLE_LLM_MODEL. "
                "Les avis déjà reçus sont gardés ; la mesure elle-même est complète."
            ) from error

    return ask


class _Cache:
    """Replies by model and prompt, in SQLite."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path)
        self._db.execute("CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL)")

    def close(self) -> None:
        self._db.close()

    def through(self, model: str, ask: Ask) -> Ask:
        def cached(prompt: str) -> str:
            key = hashlib.sha256(f"{model}\x1f{prompt}".encode()).hexdigest()
            known = self._db.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
            if known:
                return str(known[0])
            reply = ask(prompt)
            with self._db:
                self._db.execute("INSERT OR REPLACE INTO replies VALUES (?, ?)", (key, reply))
            return reply

        return cached
