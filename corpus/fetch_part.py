"""Part: the file that a download fills, and what says which version it is of, so that a later attempt can go on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.addresses import FetchError

TAIL = 2048  # bytes at a PDF's end that hold its startxref and %%EOF


@dataclass(frozen=True)
class Part:
    """What an earlier attempt left: bytes, and the sign (ETag or date) of the version that they are of."""

    path: Path
    url: str
    size: int
    validator: str | None

    @classmethod
    def of(cls, path: Path, url: str) -> Part:
        try:
            kept = json.loads(cls._signs(path).read_text(encoding="utf-8"))
            if kept["asked"] == url:
                return cls(path, url, path.stat().st_size, kept["validator"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return cls(path, url, 0, None)

    @classmethod
    def begin(cls, path: Path, url: str, headers: Mapping[str, str]) -> Part:
        """A new file, with what says which version it will be of."""
        etag = headers.get("etag", "")
        validator = etag if etag and not etag.startswith("W/") else headers.get("last-modified")
        with writing(path, "wb"):
            cls._signs(path).write_text(json.dumps({"asked": url, "validator": validator}), encoding="utf-8")
        return cls(path, url, 0, validator)

    @staticmethod
    def _signs(path: Path) -> Path:
        return path.with_name(f"{path.name}.json")

    def forget(self) -> None:
        self._signs(self.path).unlink(missing_ok=True)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.forget()


@contextmanager
def writing(path: Path, mode: str) -> Iterator[Any]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode) as file:
            yield file
    except OSError as error:
        raise FetchError(
            f"Impossible d'écrire dans « {path.parent} » ({error.strerror}). Vérifiez la place et les droits.",
            code="disk",
        ) from error


def continues(headers: dict[str, str], start: int) -> bool:
    return headers.get("content-range", "").replace(" ", "").startswith(f"bytes{start}-")


def check_whole(part: Path, url: str) -> None:
    with part.open("rb") as file:
        file.seek(max(part.stat().st_size - TAIL, 0))
        tail = file.read()
    if b"%%EOF" not in tail and b"startxref" not in tail:
        Part(part, url, 0, None).discard()
        raise FetchError(f"« {url} » : le PDF reçu est tronqué, sa fin manque. Relancez plus tard.", code="truncated")
