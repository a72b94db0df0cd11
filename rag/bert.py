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
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

# oneDNN keeps a kernel for each number of tokens that it met, a thousand by default: 0.4 GB after a thousand passages.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")

PLAIN = {"model_type": "bert", "hidden_act": "gelu"}
POSITIONS = "absolute"
STORED = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}  # names of a file's types, and torch's
ROWS_AT_FIRST = 4_096
Layer = dict[str, tuple[Any, Any]]  # weights and biases


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
    """`tokenize` texts, then `states` of their tokens. Threads may share it: after loading, only words met for the first
    time are added."""

    def __init__(self, folder: Path, max_tokens: int, precision: str = "float32") -> None:
        """`precision` is a torch dtype's name, that of the products of matrices; sums and norms stay in float32."""
        import torch
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.dimensions = int(config["hidden_size"])
        self._heads = int(config["num_attention_heads"])
        self._epsilon = float(config["layer_norm_eps"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()  # cut by `_cut`: reading the tokenizer twice, to count without, takes 0.6 s
        self._longest = min(max_tokens, int(config["max_position_embeddings"]))
        self.file = folder / "model.safetensors"
        weights, prefix = open_weights(self.file)
        get = weights.__getitem__
        self._words = WordTable(self.file, f"{prefix}embeddings.word_embeddings.weight")
        self._places, self._kinds = (
            get(f"embeddings.{part}_embeddings.weight").clone() for part in ("position", "token_type")
        )  # what is cloned leaves the file, which may then be closed
        weight, bias = (get(f"embeddings.LayerNorm.{part}").clone() for part in ("weight", "bias"))
        self._first_norm = weight, bias
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
        flat = np.array([token for one in ids for token in one], np.int64)
        places = torch.cat([torch.arange(length) for length in lengths])
        with torch.inference_mode():
            x = self._words[flat] + self._places[places] + self._kinds[0]
            return functional.layer_norm(x, (self.dimensions,), *self._first_norm, self._epsilon), lengths

    def _through(self, layers: Sequence[Layer], x: Any, lengths: Sequence[int]) -> Any:
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


def open_weights(file: Path) -> tuple[dict[str, Any], str]:
    """The tensors of a model, memory-mapped, by name without the prefix that it gives all of them, and that prefix."""
    from safetensors.torch import load_file

    weights = load_file(file)
    prefix = "bert." if any(name.startswith("bert.") for name in weights) else ""
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items()}, prefix


class WordTable:
    """The rows of a matrix of a safetensors file, each read when it is first asked for, and kept: of a multilingual vocabulary's
    0.4 GB a corpus in one language needs a tenth, but a mapping would have the kernel bring it all in, page after page. Threads may
    share it."""

    def __init__(self, file: Path, name: str) -> None:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            about = json.loads(opened.read(length))[name]
        self._file, self._start = file, 8 + length + about["data_offsets"][0]
        self._size, dimensions = about["shape"]
        self._dtype = STORED[about["dtype"]]
        self._kept = np.empty((ROWS_AT_FIRST, dimensions), np.float32)
        self._places = np.full(self._size, -1, np.int32)
        self._count = 0
        self._lock = threading.Lock()

    def __getitem__(self, rows: np.ndarray) -> Any:
        """A float32 tensor of shape (n, d)."""
        import torch

        with self._lock:
            new = np.unique(rows[self._places[rows] < 0])
            if len(new):
                self._read(new)
            return torch.from_numpy(self._kept[self._places[rows]])

    def _read(self, rows: np.ndarray) -> None:
        import torch

        needed = self._count + len(rows)
        if needed > len(self._kept):
            grown = np.empty((max(needed, 2 * len(self._kept)), self._kept.shape[1]), np.float32)
            grown[: self._count] = self._kept[: self._count]
            self._kept = grown
        dtype = getattr(torch, self._dtype)
        width = self._kept.shape[1] * dtype.itemsize
        stored = np.memmap(self._file, np.uint8, "r", self._start, (self._size, width))
        self._kept[self._count : needed] = torch.from_numpy(stored[rows]).view(dtype).float().numpy()
        self._places[rows] = np.arange(self._count, needed)
        self._count = needed


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
        weights, _ = open_weights(plain.file)

        def get(name: str) -> Any:
            weight, matrix = weights[name], name.removesuffix(".weight")
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


def _layer(get: Any, dtype: Any) -> Layer:
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
    linear = {name: (weight.to(dtype), bias.to(dtype)) for name, (weight, bias) in linear.items()}
    return linear | {name: (weight.clone(), bias.clone()) for name, (weight, bias) in norms.items()}
