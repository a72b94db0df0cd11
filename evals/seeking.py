"""Teach the default model to read a question by what would answer it, whatever its words: `python -m evals.seeking`.

Low-rank changes of the upper layers (Hu et al., "LoRA", ICLR 2022), for questions only: passages keep their vectors, so an index
stays valid. They are learned from evals/seeking.jsonl, short passages written for this with questions that one of their sentences
answers and others, on the same subject and in the same style, that none does; half of each in everyday words. One item in ten is
kept aside and measured. Writes rag/seeking.safetensors; ten minutes on two cores (docs/adr/0009-seeking.md).
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.chunk_vectors import sentence_vectors
from rag.e5 import ensure_model
from rag.embedding import SEEKER, Encoder, load_encoder
from rag.settings import load_settings

if TYPE_CHECKING:
    import torch

ITEMS = Path(__file__).with_name("seeking.jsonl")
ASIDE = 10  # one item in so many is kept aside
RANK, FIRST_LAYER = 8, 4
MATRICES = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
EPOCHS, BATCH, RATE, WARM_UP = 3, 64, 1e-3, 20
TEMPERATURE = 0.03
# Weights of what is asked of a question's vector: its sentence before all others, its passage before all others, its sentence
# within the passage, its sentence before questions without an answer, a level that parts them everywhere, and to stay near home.
SENTENCE, PASSAGE, WITHIN, QUESTION, LEVEL, HOME = 1.0, 0.5, 1.0, 0.5, 0.5, 0.3


@dataclass(frozen=True)
class Item:
    """A passage, questions with the rank of the sentence that answers each, and questions that none answers."""

    topic: str
    sentences: tuple[str, ...]
    yes: tuple[tuple[str, int], ...]
    no: tuple[str, ...]


def read(path: Path = ITEMS) -> list[Item]:
    """The items of a file. Raises ValueError that names the line of one that isn't whole."""
    items = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        raw = json.loads(line)
        item = Item(raw["topic"], tuple(raw["sentences"]), tuple((q, int(i)) for q, i in raw["yes"]), tuple(raw["no"]))
        if not item.yes or not item.no or any(not 0 <= i < len(item.sentences) for _, i in item.yes):
            raise ValueError(f"{path.name}, line {number}: a question without its sentence, or none without an answer")
        items.append(item)
    return items


@dataclass(frozen=True)
class Texts:
    """The vectors of items' sentences (s, d) and passages (n, d), which training leaves as they are, and where each item's
    sentences stand among all."""

    sentences: torch.Tensor
    passages: torch.Tensor
    spans: tuple[tuple[int, int], ...]


def texts(items: Sequence[Item], encoder: Encoder) -> Texts:
    """Encode passages as the index does: a sentence's vector is the mean of its words' in its passage."""
    import torch

    joined = [" ".join(item.sentences) for item in items]
    sentences, passages = [], []
    for item, encoded in zip(
        items, encoder.passages([f"Document\n{item.topic}" for item in items], joined), strict=True
    ):
        ends = list(accumulate(len(sentence) + 1 for sentence in item.sentences))  # with the space after each
        places = [(end - len(sentence) - 1, end - 1) for sentence, end in zip(item.sentences, ends, strict=True)]
        sentences.append(sentence_vectors(places, encoded))
        passages.append(encoded.vector)
    spans = tuple(pairwise(accumulate((len(item.sentences) for item in items), initial=0)))
    return Texts(torch.tensor(np.concatenate(sentences)), torch.tensor(np.stack(passages)), spans)


class Questions:
    """The model that reads questions, with its low-rank changes."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        from transformers import BertModel

        self._tokenize = encoder.question_tokens
        self.model = BertModel.from_pretrained(folder, attn_implementation="sdpa", add_pooling_layer=False)  # nosec B615 — a local folder
        self.model.requires_grad_(False)
        self.model.eval()
        self.changes: dict[str, Any] = {}
        for n in range(FIRST_LAYER, len(self.model.encoder.layer)):
            for name in MATRICES:
                self._change(f"encoder.layer.{n}.{name}")

    def _change(self, name: str) -> None:
        import torch

        linear: Any = self.model.get_submodule(name)
        down = torch.nn.Parameter(torch.randn(RANK, linear.in_features) / linear.in_features**0.5)
        up = torch.nn.Parameter(torch.zeros(linear.out_features, RANK))
        linear.register_forward_hook(lambda _module, given, found: found + (given[0] @ down.T) @ up.T)
        self.changes |= {f"{name}.a": down, f"{name}.b": up}

    def vectors(self, questions: Sequence[str]) -> torch.Tensor:
        """(n, d), L2-normalised."""
        import torch
        from torch.nn import functional

        tokens = [torch.tensor(ids) for ids in self._tokenize(questions)]
        ids = torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True, padding_value=1)
        seen = torch.nn.utils.rnn.pad_sequence([torch.ones(len(t)) for t in tokens], batch_first=True)
        with torch.autocast("cpu", torch.bfloat16):
            states = self.model(input_ids=ids, attention_mask=seen).last_hidden_state.float()
        return functional.normalize((states * seen[..., None]).sum(1) / seen.sum(1, keepdim=True), dim=-1)

    def frozen(self, questions: Sequence[str]) -> torch.Tensor:
        import torch

        with torch.no_grad():
            return torch.cat([self.vectors(questions[i : i + BATCH]) for i in range(0, len(questions), BATCH)])


def train(questions: Questions, items: Sequence[Item], known: Texts) -> Iterator[int]:
    """Change `questions`; gives the number of each epoch that is done."""
    import torch
    from torch.nn import functional

    asked = [(question, n, rank) for n, item in enumerate(items) for question, rank in item.yes]
    home = dict(zip([q for q, _, _ in asked], questions.frozen([q for q, _, _ in asked]), strict=True))
    level = torch.nn.Parameter(torch.tensor([3.0, -0.82]))  # logarithm of its slope, and its middle
    learned = [*questions.changes.values(), level]
    optimizer = torch.optim.AdamW(
        [{"params": learned[:-1], "lr": RATE}, {"params": [level], "lr": 10 * RATE}], weight_decay=0.01
    )
    steps = EPOCHS * (len(asked) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / WARM_UP) * (1 - step / steps)
    )
    for epoch in range(EPOCHS):
        random.shuffle(asked)
        for start in range(0, len(asked) - BATCH + 1, BATCH):
            batch = asked[start : start + BATCH]
            unanswered = [random.choice(items[n].no) for _, n, _ in batch]
            both = questions.vectors([q for q, _, _ in batch] + unanswered)
            vectors, others = both[:BATCH], both[BATCH:]
            likeness, unlike = vectors @ known.sentences.T, others @ known.sentences.T
            right = torch.tensor([known.spans[n][0] + rank for _, n, rank in batch])
            own = [slice(*known.spans[n]) for _, n, _ in batch]
            answer = likeness.gather(1, right[:, None])[:, 0]
            nearest = torch.stack([row[place].max() for row, place in zip(unlike, own, strict=True)])
            within = [
                functional.cross_entropy(row[place] / TEMPERATURE, torch.tensor(rank))
                for row, place, (_, _, rank) in zip(likeness, own, batch, strict=True)
            ]
            slope, middle = level[0].exp(), level[1]
            passages = functional.cross_entropy(
                vectors @ known.passages.T / TEMPERATURE, torch.tensor([n for _, n, _ in batch])
            )
            away = 1 - (vectors * torch.stack([home[q] for q, _, _ in batch])).sum(-1)
            loss = (
                SENTENCE * functional.cross_entropy(likeness / TEMPERATURE, right)
                + PASSAGE * passages
                + WITHIN * torch.stack(within).mean()
                + QUESTION * functional.softplus((unlike.gather(1, right[:, None])[:, 0] - answer) / TEMPERATURE).mean()
                + LEVEL * functional.softplus(-slope * (answer + middle)).mean()
                + LEVEL * functional.softplus(slope * (nearest + middle)).mean()
                + HOME * away.mean()
            )
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learned, 1.0)
            optimizer.step()
            schedule.step()
        yield epoch


def measure(questions: Questions, items: Sequence[Item], known: Texts, others: torch.Tensor) -> dict[str, float]:
    """Mean reciprocal rank of the sentence that answers, among all and in its passage; share of pairs in which a question with an
    answer is nearer to its passage than one without."""
    import torch

    asked = [(question, n, rank) for n, item in enumerate(items) for question, rank in item.yes]
    none = [(question, n) for n, item in enumerate(items) for question in item.no]
    likeness = questions.frozen([q for q, _, _ in asked]) @ torch.cat([known.sentences, others]).T
    places = [slice(*known.spans[n]) for _, n, _ in asked]
    answers = [row[place.start + rank] for row, place, (_, _, rank) in zip(likeness, places, asked, strict=True)]
    among = [1 / (1 + int((row > answer).sum())) for row, answer in zip(likeness, answers, strict=True)]
    within = [
        1 / (1 + int((row[place] > answer).sum())) for row, place, answer in zip(likeness, places, answers, strict=True)
    ]
    best = torch.stack([row[place].max() for row, place in zip(likeness, places, strict=True)])
    unlike = questions.frozen([q for q, _ in none]) @ known.sentences.T
    nearest = torch.stack([row[slice(*known.spans[n])].max() for row, (_, n) in zip(unlike, none, strict=True)])
    return {
        "RR among all": float(np.mean(among)),
        "RR in its passage": float(np.mean(within)),
        "told apart": float((best[:, None] > nearest[None]).float().mean()),
    }


def main() -> None:
    import torch
    from safetensors.torch import save_file

    random.seed(17)
    torch.manual_seed(17)
    settings, started = load_settings(), time.perf_counter()
    encoder = load_encoder(settings)
    items = read()
    random.shuffle(items)
    aside, rest = items[::ASIDE], [item for n, item in enumerate(items) if n % ASIDE]
    known, kept = texts(rest, encoder), texts(aside, encoder)
    torch.set_num_threads(settings.threads or torch.get_num_threads())
    questions = Questions(ensure_model(settings.cache), encoder)
    print(len(rest), "items,", len(aside), "aside:", measure(questions, aside, kept, known.sentences), flush=True)
    for epoch in train(questions, rest, known):
        seconds = round(time.perf_counter() - started)
        print(epoch + 1, f"{seconds} s", measure(questions, aside, kept, known.sentences), flush=True)
        save_file({n: p.detach().half().contiguous() for n, p in questions.changes.items()}, SEEKER)


if __name__ == "__main__":
    main()
