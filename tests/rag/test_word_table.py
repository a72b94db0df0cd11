"""Words' vectors are read from the model's file one by one, whatever the type they are stored in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import rag.bert
from rag.bert import WordTable


@pytest.fixture(params=["float32", "float16", "bfloat16"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, np.ndarray]:
    matrix = torch.randn(300, 8, generator=torch.Generator().manual_seed(17)).to(getattr(torch, request.param))
    save_file({"before": torch.ones(3), "words": matrix, "zz": torch.ones(5)}, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors", matrix.float().numpy()


def test_rows_are_those_of_the_file_however_often_and_in_whatever_order_they_come(
    stored: tuple[Path, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, matrix = stored
    monkeypatch.setattr(rag.bert, "ROWS_AT_FIRST", 4)  # grows several times
    table = WordTable(file, "words")
    for rows in ([5, 5, 299], [0], [299, 7, 1, 2, 3, 4], list(range(299, -1, -1))):
        assert np.array_equal(table[np.array(rows)].numpy(), matrix[rows])


def test_threads_share_it(stored: tuple[Path, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    file, matrix = stored
    monkeypatch.setattr(rag.bert, "ROWS_AT_FIRST", 4)
    table = WordTable(file, "words")
    asked = [np.random.default_rng(n).integers(0, 300, 40) for n in range(200)]
    with ThreadPoolExecutor(8) as pool:
        for rows, found in zip(asked, pool.map(table.__getitem__, asked), strict=True):
            assert np.array_equal(found.numpy(), matrix[rows])
