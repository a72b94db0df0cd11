"""The forward pass of a BERT encoder without padding, straight from its weights.

transformers and sentence-transformers take more than half of a cold start to import, and pad a batch to its longest text.
Here texts stand end to end in one matrix: every linear layer sees real tokens only, and attention is computed a text at a
time. Same weights, same operations, same vectors: to 1e-5 in float32; in bfloat16, where a processor computes it, 2.6 times
as fast, at a cosine of 0.9999 or more (both tested): docs/adr/0060-encoder.md. Whatever isn't a plain BERT goes through
sentence-transformers (rag/embedding.py).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

# oneDNN keeps a kernel for each number of tokens that it met, a thousand by default: 0.4 GB after a thousand passages.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")

PLAIN = {"model_type": "bert", "hidden_act": "gelu"}
POSITIONS = "absolute"


def is_plain_bert(folder: Path) -> bool:
    """Whether `folder` holds a model that `Bert` computes as transformers does."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    files = all((folder / name).is_file() for name in ("model.safetensors", "tokenizer.json"))
    plain = config.items() >= PLAIN.items() and config.get("position_embedding_type", POSITIONS) == POSITIONS
    return files and plain and not config.get("is_decoder", False)


class Bert:
    """`tokenize` texts, then `states` of their tokens. Threads may share it: nothing changes after loading."""

    def __init__(self, folder: Path, max_tokens: int, precision: str = "float32") -> None:
        """`precision` is a torch dtype's name, that of the products of matrices; sums and norms stay in float32."""
        import torch
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.dimensions = int(config["hidden_size"])
        self._heads = int(config["num_attention_heads"])
        self._epsilon = float(config["layer_norm_eps"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()  # cut by `_cut`: reading the tokenizer twice, to count without, takes 0.6 s
        self._longest = min(max_tokens, int(config["max_position_embeddings"]))
        weights = load_file(folder / "model.safetensors")  # memory-mapped: rows of words that never come stay on disk
        prefix = "bert." if any(name.startswith("bert.") for name in weights) else ""
        self._weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
        get = self._weights.__getitem__
        self._embeddings = [get(f"embeddings.{part}_embeddings.weight") for part in ("word", "position", "token_type")]
        self._first_norm = get("embeddings.LayerNorm.weight"), get("embeddings.LayerNorm.bias")
        layers = range(int(config["num_hidden_layers"]))
        self._dtype = getattr(torch, precision)
        self._layers = [_layer(lambda name, at=f"encoder.layer.{n}.": get(at + name), self._dtype) for n in layers]

    def count(self, text: str) -> int:
        """Number of tokens of a text, without the special ones."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def tokenize(self, texts: Sequence[str]) -> list[tuple[list[int], np.ndarray]]:
        """For each text its token ids, cut at the model's window, and their spans in the text (t, 2)."""
        found = self._tokenizer.encode_batch(list(texts))
        return [self._cut(one.ids, np.array(one.offsets, np.int64).reshape(-1, 2)) for one in found]

    def _cut(self, ids: list[int], offsets: np.ndarray) -> tuple[list[int], np.ndarray]:
        """The model's window, whose last token stays the one that ends a text."""
        if len(ids) <= self._longest:
            return ids, offsets
        last = self._longest - 1
        return ids[:last] + ids[-1:], np.concatenate([offsets[:last], offsets[-1:]])

    def states(self, ids: Sequence[Sequence[int]]) -> list[np.ndarray]:
        """Last hidden states (t, d) of each text's tokens."""
        x, lengths = self._enter(ids)
        return _apart(self._through(self._layers, x, lengths), lengths)

    def _enter(self, ids: Sequence[Sequence[int]]) -> tuple[Any, list[int]]:
        """What the first layer is given, the tokens of all texts end to end, and the number of tokens of each text."""
        import torch
        from torch.nn import functional

        lengths = [len(one) for one in ids]
        flat = torch.tensor([token for one in ids for token in one])
        places = torch.cat([torch.arange(length) for length in lengths])
        word, position, kind = self._embeddings
        with torch.inference_mode():
            x = word[flat] + position[places] + kind[0]
            return functional.layer_norm(x, (self.dimensions,), *self._first_norm, self._epsilon), lengths

    def _through(self, layers: Sequence[dict[str, Any]], x: Any, lengths: Sequence[int]) -> Any:
        import torch
        from torch.nn import functional

        shape = (self.dimensions,)
        with torch.inference_mode():
            for layer in layers:
                mixed = self._attend(functional.linear(x.to(self._dtype), *layer["qkv"]), lengths)
                x = x + functional.linear(mixed, *layer["out"])
                x = functional.layer_norm(x, shape, *layer["norm"], self._epsilon)
                inner = functional.gelu(functional.linear(x.to(self._dtype), *layer["up"]))
                x = functional.layer_norm(
                    x + functional.linear(inner, *layer["down"]), shape, *layer["last"], self._epsilon
                )
        return x

    def _attend(self, projected: Any, lengths: Sequence[int]) -> Any:
        """Attention of each text's tokens to one another; `projected` holds queries, keys and values (t, 3d)."""
        import torch
        from torch.nn import functional

        mixed = []
        for part in projected.split(list(lengths)):
            q, k, v = part.view(len(part), 3, self._heads, -1).permute(1, 2, 0, 3).unsqueeze(1)
            one = functional.scaled_dot_product_attention(q, k, v)
            mixed.append(one[0].transpose(0, 1).reshape(len(part), self.dimensions))
        return torch.cat(mixed)


def _apart(x: Any, lengths: Sequence[int]) -> list[np.ndarray]:
    return [part.numpy() for part in x.split(list(lengths))]


class Adapted:
    """A model beside the same with low-rank changes in its upper layers (Hu et al., "LoRA", ICLR 2022); the lower ones, which both
    have, are computed once."""

    def __init__(self, plain: Bert, file: Path) -> None:
        """`file` holds, for a matrix `x.weight` of shape (out, in), `x.a` of shape (r, in) and `x.b` of shape (out, r), whose
        product is added to it."""
        from safetensors.torch import load_file

        changes = load_file(file)

        def get(name: str) -> Any:
            weight, matrix = plain._weights[name], name.removesuffix(".weight")
            if f"{matrix}.a" not in changes:
                return weight
            return weight + changes[f"{matrix}.b"].float() @ changes[f"{matrix}.a"].float()

        first = min(int(name.split(".")[2]) for name in changes)
        self._plain = plain
        self._lower, self._upper = plain._layers[:first], plain._layers[first:]
        self._changed = [
            _layer(lambda name, at=f"encoder.layer.{n}.": get(at + name), plain._dtype)
            for n in range(first, len(plain._layers))
        ]

    def readings(self, ids: Sequence[Sequence[int]]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Last hidden states (t, d) of each text's tokens: the plain model's, then the changed one's."""
        x, lengths = self._plain._enter(ids)
        x = self._plain._through(self._lower, x, lengths)
        plain, changed = (
            _apart(self._plain._through(layers, x, lengths), lengths) for layers in (self._upper, self._changed)
        )
        return plain, changed


def best_precision() -> str:
    """bfloat16 where this processor multiplies matrices in it, float32 elsewhere: emulated, it would be slower."""
    import torch

    units = torch.cpu.get_capabilities()
    return "bfloat16" if units.get("avx512_bf16") or units.get("amx_bf16") else "float32"


def _layer(get: Any, dtype: Any) -> dict[str, tuple[Any, Any]]:
    """Weights and biases of one layer, the linear ones in `dtype`; the three projections of attention as one matrix."""
    import torch

    def pair(name: str) -> tuple[Any, Any]:
        return get(f"{name}.weight"), get(f"{name}.bias")

    projections = [pair(f"attention.self.{name}") for name in ("query", "key", "value")]
    linear = {
        "qkv": (torch.cat([weight for weight, _ in projections]), torch.cat([bias for _, bias in projections])),
        "out": pair("attention.output.dense"),
        "up": pair("intermediate.dense"),
        "down": pair("output.dense"),
    }
    norms = {"norm": pair("attention.output.LayerNorm"), "last": pair("output.LayerNorm")}
    return {name: (weight.to(dtype), bias.to(dtype)) for name, (weight, bias) in linear.items()} | norms
