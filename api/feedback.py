"""Opinions on answers, and questions where the operator chose to keep them: in SQLite, erased when their time is over."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from api.database import database
from api.forms import FeedbackRequest
from rag.answer import Answer
from rag.settings import Settings

SCHEMA = """
CREATE TABLE IF NOT EXISTS feedback (answer_id TEXT PRIMARY KEY, rating INTEGER NOT NULL, comment TEXT, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS questions (answer_id TEXT PRIMARY KEY, question TEXT NOT NULL, status TEXT NOT NULL,
                                      generation TEXT NOT NULL, at TEXT NOT NULL);
"""


class FeedbackStore:
    """Threads and workers may share it."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.data / "feedback.sqlite"
        self._days = settings.feedback_days
        self._keeps_questions = settings.log_questions

    def record(self, given: FeedbackRequest) -> None:
        """Keep an opinion, in the place of an earlier one on the same answer."""
        with database(self._path, SCHEMA) as db:
            db.execute(
                "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?)",
                (given.answer_id, given.rating, given.comment, _now()),
            )
            self._forget(db)

    def asked(self, answer: Answer) -> None:
        """Keep a question, only where BOUSSOLE_LOG_QUESTIONS says so."""
        if not self._keeps_questions:
            return
        with database(self._path, SCHEMA) as db:
            db.execute(
                "INSERT OR REPLACE INTO questions VALUES (?, ?, ?, ?, ?)",
                (answer.id, answer.question, answer.status, answer.index_generation, _now()),
            )
            self._forget(db)

    def erase(self, answer_id: str) -> bool:
        """Forget all that is kept about an answer; whether there was anything."""
        with database(self._path, SCHEMA) as db:
            queries = [f"DELETE FROM {table} WHERE answer_id = ?" for table in _TABLES]  # nosec B608
            gone = [db.execute(query, (answer_id,)).rowcount for query in queries]
        return any(gone)

    def purge(self) -> int:
        """Forget what is older than BOUSSOLE_FEEDBACK_DAYS; how many rows went."""
        if not self._path.exists():
            return 0
        with database(self._path, SCHEMA) as db:
            return self._forget(db)

    def export(self) -> Iterator[dict[str, Any]]:
        """What is kept, oldest first, one answer a row."""
        if not self._path.exists():
            return
        with database(self._path, SCHEMA) as db:
            self._forget(db)
            rows = db.execute(
                "SELECT answer_id, rating, comment, feedback.at AS at, question, status, generation "
                "FROM feedback LEFT JOIN questions USING (answer_id) UNION ALL "
                "SELECT answer_id, NULL, NULL, at, question, status, generation FROM questions "
                "WHERE answer_id NOT IN (SELECT answer_id FROM feedback) ORDER BY at"
            ).fetchall()
        yield from (dict(row) for row in rows)

    def _forget(self, db: sqlite3.Connection) -> int:
        limit = (datetime.now(UTC) - timedelta(days=self._days)).isoformat(timespec="seconds")
        queries = [f"DELETE FROM {table} WHERE at < ?" for table in _TABLES]  # nosec B608
        return sum(db.execute(query, (limit,)).rowcount for query in queries)


_TABLES = ("feedback", "questions")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
