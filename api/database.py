"""The server's own small SQLite files, under BOUSSOLE_DATA: readable by its user alone, shared by its workers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

WAIT = 5.0  # seconds for another worker's write


@contextmanager
def database(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """A connection in one transaction, committed at the end of the block; the file is made where it isn't there."""
    new = not path.exists()
    if new:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    with closing(sqlite3.connect(path, timeout=WAIT)) as connection:
        connection.row_factory = sqlite3.Row
        if new:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(schema)
        with connection:
            yield connection
