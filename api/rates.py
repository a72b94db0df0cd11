"""How often someone asked: counted in memory by one worker, in a small file by the workers of one machine, in Redis by
several machines. Where Redis doesn't answer, each worker counts alone for a while: slower limits beat a dead service."""

from __future__ import annotations

import logging
import math
import sqlite3
import time
from pathlib import Path

import limits
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter

from corpus.errors import ConfigurationError
from rag.settings import Settings

log = logging.getLogger(__name__)
ALONE = 30.0  # seconds during which a storage that failed isn't asked again
REDIS_SECONDS = 0.5  # for one count; the others wait meanwhile
SWEEP = 500  # counts between two removals of windows that are over
SCHEMA = "CREATE TABLE IF NOT EXISTS rates (key TEXT PRIMARY KEY, count INTEGER NOT NULL, until REAL NOT NULL)"


class Rates:
    """Counts of one application."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter
        self._alone = MovingWindowRateLimiter(MemoryStorage())
        self._alone_until = 0.0

    def wait(self, rate: limits.RateLimitItem, *who: str) -> int | None:
        """Count one more; None where it is within the rate, else the seconds to wait."""
        if time.monotonic() >= self._alone_until:
            try:
                return _wait(self._limiter, rate, who)
            except StorageError as error:
                self._alone_until = time.monotonic() + ALONE
                log.warning("rates not shared for %d s: %s", ALONE, type(error.storage_error).__name__)
        return _wait(self._alone, rate, who)


class FileStorage(Storage):
    """Fixed windows in one SQLite file, for the workers of one machine."""

    STORAGE_SCHEME = ["boussole-file"]  # noqa: RUF012 - as its base declares it

    def __init__(self, path: Path) -> None:
        super().__init__(wrap_exceptions=True)
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._counted = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        return sqlite3.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        self._counted += 1
        if self._counted % SWEEP == 0:
            self._connection.execute("DELETE FROM rates WHERE until <= ?", (now,))
        return int(
            self._connection.execute(
                "INSERT INTO rates VALUES (:key, :amount, :until) ON CONFLICT (key) DO UPDATE SET "
                "count = CASE WHEN until <= :now THEN :amount ELSE count + :amount END, "
                "until = CASE WHEN until <= :now THEN :until ELSE until END RETURNING count",
                {"key": key, "amount": amount, "now": now, "until": now + expiry},
            ).fetchone()[0]
        )

    def get(self, key: str) -> int:
        return int(self._row(key)[0])

    def get_expiry(self, key: str) -> float:
        return float(self._row(key)[1])

    def check(self) -> bool:
        return self._connection.execute("SELECT 1").fetchone() is not None

    def reset(self) -> int | None:
        return self._connection.execute("DELETE FROM rates").rowcount

    def clear(self, key: str) -> None:
        self._connection.execute("DELETE FROM rates WHERE key = ?", (key,))

    def _row(self, key: str) -> tuple[int, float]:
        row = self._connection.execute("SELECT count, until FROM rates WHERE key = ?", (key,)).fetchone()
        return row if row is not None and row[1] > time.time() else (0, time.time())

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.touch(mode=0o600)
            self._db = sqlite3.connect(self._path, timeout=1.0, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = OFF")  # counts of a minute needn't survive a power cut
            self._db.execute(SCHEMA)
        return self._db


def open_rates(settings: Settings) -> Rates:
    """Where this server counts. Raises ConfigurationError for a Redis address that is none."""
    address = settings.redis_url.get_secret_value()
    if address:
        return Rates(MovingWindowRateLimiter(_redis(address)))
    if settings.workers > 1:
        return Rates(FixedWindowRateLimiter(FileStorage(rates_file(settings))))
    return Rates(MovingWindowRateLimiter(MemoryStorage()))


def rates_file(settings: Settings) -> Path:
    return settings.data / "rates.sqlite"


def _redis(address: str) -> Storage:
    try:
        found = storage_from_string(
            address, wrap_exceptions=True, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        )
    except Exception as error:  # noqa: BLE001 - limits and redis each raise their own kinds for a wrong address
        log.debug("redis address refused: %s", type(error).__name__)
        raise ConfigurationError(
            "BOUSSOLE_REDIS_URL est refusé. Donnez la forme redis://hôte:6379 (ou rediss:// avec TLS)."
        ) from None
    if not isinstance(found, Storage) or not address.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigurationError("BOUSSOLE_REDIS_URL est refusé. Donnez la forme redis://hôte:6379.")
    return found


def _wait(limiter: RateLimiter, rate: limits.RateLimitItem, who: tuple[str, ...]) -> int | None:
    if limiter.hit(rate, *who):
        return None
    return max(1, math.ceil(limiter.get_window_stats(rate, *who).reset_time - time.time()))
