"""Flat arrays on disk: appended to while a generation is built, memory-mapped when it is read."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np


class ArrayWriter:
    """Append rows of one dtype and width to a raw file, so that building needs no memory for the whole array."""

    def __init__(self, path: Path, dtype: str, width: int = 0) -> None:
        self._file: IO[bytes] = path.open("wb")
        self._dtype = np.dtype(dtype)
        self._width = width
        self.rows = 0

    def append(self, rows: np.ndarray) -> None:
        if self._width and rows.size and rows.shape[-1] != self._width:
            raise ValueError(f"expected rows of width {self._width}, got shape {rows.shape}")
        self._file.write(np.ascontiguousarray(rows, dtype=self._dtype).tobytes())
        self.rows += len(rows)

    def __enter__(self) -> ArrayWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def open_array(path: Path, dtype: str, width: int = 0) -> np.ndarray:
    """The array at `path`, shape (rows,) or (rows, width), memory-mapped and read-only."""
    size = path.stat().st_size // np.dtype(dtype).itemsize
    shape = (size // width, width) if width else (size,)
    if size == 0:
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype=dtype, mode="r", shape=shape)


def to_int8(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows scaled to int8, and their scales (rows,) in float16; the error is below 0.4 % of the largest component."""
    if not len(vectors):
        return np.zeros(vectors.shape, np.int8), np.zeros(0, np.float16)
    scales = (np.abs(vectors).max(axis=1) / 127).astype(np.float16)
    safe = np.maximum(scales.astype(np.float32), 1e-7)
    return np.clip(np.rint(vectors / safe[:, None]), -127, 127).astype(np.int8), scales


def from_int8(rows: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return np.asarray(rows, np.float32) * np.asarray(scales, np.float32)[:, None]
