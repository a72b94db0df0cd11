"""Keys: who may ask what, from which sites, how often. Read at each request, so that a revocation holds at once everywhere.

A secret is 256 random bits, of which only the SHA-256 is kept. A slow hash (argon2, bcrypt) protects what people choose
and an attacker can guess; 2^256 can't be guessed, and a slow hash at each request would let anyone tire the server out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import limits

from api.database import database
from corpus.errors import UsageError

Kind = Literal["secret", "publishable"]
SCOPES = ("ask", "search", "read", "feedback", "metrics")
PUBLISHABLE_SCOPES = ("ask", "search", "read", "feedback")
RATES: dict[Kind, str] = {"secret": "120/minute", "publishable": "20/minute"}
SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, hash TEXT NOT NULL,
    scopes TEXT NOT NULL, origins TEXT NOT NULL, rate TEXT NOT NULL, created TEXT NOT NULL, revoked TEXT);
CREATE TABLE IF NOT EXISTS page_secret (value TEXT NOT NULL);
"""
_FORM = re.compile(r"(?:sk|pk)_([0-9a-f]{8})_[\w-]{43}", re.ASCII)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


@dataclass(frozen=True)
class Key:
    """A key, without its secret. `rate` is questions per period: of the key, or of each address for a publishable one."""

    id: str
    name: str
    kind: Kind
    scopes: tuple[str, ...]
    origins: tuple[str, ...]
    rate: str
    created: str
    revoked: str | None = None


class KeyStore:
    """The keys of one server, in `keys.sqlite` of the data folder; commands and workers share it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "keys.sqlite"

    def in_force(self) -> bool:
        """Whether a key was ever created: from then on one is needed, even when all are revoked."""
        if not self._path.exists():
            return False
        with database(self._path, SCHEMA) as db:
            return db.execute("SELECT 1 FROM keys LIMIT 1").fetchone() is not None

    def create(
        self, name: str, *, origins: Sequence[str] = (), rate: str | None = None, scopes: Sequence[str] = ()
    ) -> tuple[Key, str]:
        """A new key and its secret, shown this once. With origins it is publishable. Raises UsageError."""
        name = " ".join(name.split())
        if not name or len(name) > 100 or not name.isprintable():
            raise UsageError("Le nom d'une clé est un texte de 1 à 100 caractères : à qui ou à quoi elle sert.")
        kind: Kind = "publishable" if origins else "secret"
        chosen = tuple(scopes) or (PUBLISHABLE_SCOPES if origins else SCOPES)
        if unknown := sorted(set(chosen) - set(SCOPES)):
            raise UsageError(f"Portée inconnue : « {unknown[0]} ». Les portées sont : {', '.join(SCOPES)}.")
        if origins and not set(chosen) <= set(PUBLISHABLE_SCOPES):
            raise UsageError("Une clé publiable (avec --origin) n'ouvre que : " + ", ".join(PUBLISHABLE_SCOPES) + ".")
        key = Key(
            id=secrets.token_hex(4),
            name=name,
            kind=kind,
            scopes=chosen,
            origins=tuple(dict.fromkeys(origin(o) for o in origins)),
            rate=_rate(rate or RATES[kind]),
            created=_now(),
        )
        secret = f"{'pk' if origins else 'sk'}_{key.id}_{secrets.token_urlsafe(32)}"
        with database(self._path, SCHEMA) as db:
            db.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (key.id, name, kind, _hash(secret), " ".join(chosen), json.dumps(key.origins), key.rate, key.created),
            )
        return key, secret

    def find(self, secret: str) -> Key | None:
        """The key of a secret; None where it is unknown or revoked."""
        form = _FORM.fullmatch(secret)
        if not form or not self._path.exists():
            return None
        with database(self._path, SCHEMA) as db:
            row = db.execute("SELECT * FROM keys WHERE id = ?", (form[1],)).fetchone()
        if row is None or row["revoked"] or not hmac.compare_digest(row["hash"], _hash(secret)):
            return None
        return _key(row)

    def every(self) -> list[Key]:
        if not self._path.exists():
            return []
        with database(self._path, SCHEMA) as db:
            return [_key(row) for row in db.execute("SELECT * FROM keys ORDER BY created, id")]

    def revoke(self, key_id: str) -> None:
        """Raises UsageError where there is no such key in force."""
        with database(self._path, SCHEMA) as db:
            done = db.execute("UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL", (_now(), key_id)).rowcount
        if not done:
            raise UsageError(f"Aucune clé en vigueur « {key_id} ». La liste : boussole keys list")

    def knows_origin(self, asked: str) -> bool:
        """Whether a key in force may be used from this site."""
        return any(asked in key.origins for key in self.every() if not key.revoked)

    def page_secret(self) -> bytes:
        """What signs the page's sessions; the same for every worker."""
        with database(self._path, SCHEMA) as db:
            db.execute(
                "INSERT INTO page_secret SELECT ? WHERE NOT EXISTS (SELECT 1 FROM page_secret)",
                (secrets.token_hex(32),),
            )
            return bytes.fromhex(db.execute("SELECT value FROM page_secret").fetchone()[0])


def origin(given: str) -> str:
    """`https://site.fr` in the form that browsers send. Raises UsageError."""
    try:
        parts = urlsplit(given.strip().rstrip("/"))
        port, name = parts.port, parts.hostname or ""
        host = f"[{name}]" if ":" in name else name.encode("idna").decode("ascii")
    except ValueError:  # a port or an address that is none; UnicodeError is one too
        raise _no_origin(given) from None
    bare = not (parts.path or parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("http", "https") or not bare or not _HOST.fullmatch(host):
        raise _no_origin(given)
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else "")


def _no_origin(given: str) -> UsageError:
    return UsageError(f"Origine refusée : « {given} ». Donnez la forme https://www.exemple.fr, sans chemin ni « * ».")


def _rate(given: str) -> str:
    try:
        ok = limits.parse(given).amount > 0
    except ValueError:
        ok = False
    if not ok:
        raise UsageError(f"Cadence refusée : « {given} ». Donnez par exemple 60/minute ou 1000/day.")
    return given


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: sqlite3.Row) -> Key:
    return Key(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        scopes=tuple(row["scopes"].split()),
        origins=tuple(json.loads(row["origins"])),
        rate=row["rate"],
        created=row["created"],
        revoked=row["revoked"],
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
