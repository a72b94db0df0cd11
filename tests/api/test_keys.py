"""The keys' file itself: what is kept of a key, whom it lets in, from which sites, how often."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from api.keys import PUBLISHABLE_SCOPES, SCOPES, KeyStore, origin
from corpus.errors import UsageError


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path)


def test_a_new_store_asks_for_no_key_and_makes_no_file(store: KeyStore, tmp_path: Path) -> None:
    assert not store.in_force()
    assert store.every() == []
    assert store.find(f"sk_{'0' * 8}_{'a' * 43}") is None
    assert list(tmp_path.iterdir()) == []


def test_keys_stay_in_force_once_all_are_revoked(store: KeyStore) -> None:
    key, secret = store.create("Mairie")
    assert store.in_force()
    store.revoke(key.id)
    assert store.in_force()
    assert store.find(secret) is None
    first = store.every()[0].revoked
    with pytest.raises(UsageError, match="Aucune clé en vigueur"):
        store.revoke(key.id)
    assert store.every()[0].revoked == first
    with pytest.raises(UsageError, match="Aucune clé en vigueur"):
        store.revoke("ffffffff")


def test_a_secret_is_long_new_each_time_and_never_kept(store: KeyStore, tmp_path: Path) -> None:
    secrets = [store.create("Mairie")[1] for _ in range(5)]
    assert len({secret.split("_", 2)[2] for secret in secrets}) == 5
    assert all(len(secret.split("_", 2)[2]) == 43 for secret in secrets)
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not [secret for secret in secrets if secret.encode() in written or secret[12:].encode() in written]


def test_a_secret_is_known_whole_and_alone(store: KeyStore) -> None:
    (key, secret), (_, other) = store.create("Mairie"), store.create("École")
    assert store.find(secret) == key
    for wrong in (
        secret[:-1],
        f"{secret}a",
        f"{secret}\n",
        f" {secret}",
        secret[:12] + other[12:],
        secret[:12] + "a" * 43,
        secret.replace("sk_", "pk_"),
        secret.upper(),
        "",
    ):
        assert store.find(wrong) is None


def test_a_key_opens_what_its_kind_opens(store: KeyStore) -> None:
    secret, _ = store.create("Serveur")
    public, shown = store.create("Site", origins=["https://exemple.fr", "https://EXEMPLE.fr/", "https://autre.fr"])
    assert (secret.kind, secret.scopes, secret.origins, secret.rate) == ("secret", SCOPES, (), "120/minute")
    assert (public.kind, public.scopes, public.rate) == ("publishable", PUBLISHABLE_SCOPES, "20/minute")
    assert public.origins == ("https://exemple.fr", "https://autre.fr")
    assert shown.startswith("pk_")
    assert store.create("Mesures", scopes=["metrics"], rate="7/hour")[0].scopes == ("metrics",)
    assert [key.rate for key in store.every()].count("7/hour") == 1
    assert store.create("Rare", rate="1/day")[0].rate == "1/day"
    assert store.create("Recherche", origins=["https://exemple.fr"], scopes=["search"])[0].scopes == ("search",)
    with pytest.raises(UsageError, match="n'ouvre que"):
        store.create("Site", origins=["https://exemple.fr"], scopes=["ask", "metrics"])
    with pytest.raises(UsageError, match="Portée inconnue : « tout »"):
        store.create("Serveur", scopes=["ask", "vide", "tout"])


def test_a_site_is_known_as_long_as_one_of_its_keys_is_in_force(store: KeyStore) -> None:
    first, _ = store.create("Un", origins=["https://un.fr", "https://deux.fr"])
    second, _ = store.create("Deux", origins=["https://deux.fr"])
    assert store.knows_origin("https://un.fr")
    assert not store.knows_origin("https://trois.fr")
    store.revoke(first.id)
    assert not store.knows_origin("https://un.fr")
    assert store.knows_origin("https://deux.fr")
    store.revoke(second.id)
    assert not store.knows_origin("https://deux.fr")


def test_the_page_secret_is_made_once_for_all_and_differs_elsewhere(store: KeyStore, tmp_path: Path) -> None:
    made = store.page_secret()
    assert len(made) == 32
    assert store.page_secret() == KeyStore(tmp_path).page_secret() == made
    assert KeyStore(tmp_path / "ailleurs").page_secret() != made
    with sqlite3.connect(tmp_path / "keys.sqlite") as db:
        assert db.execute("SELECT count(*) FROM page_secret").fetchone() == (1,)


def test_keys_are_listed_the_oldest_first(store: KeyStore, tmp_path: Path) -> None:
    keys = [store.create(name)[0] for name in ("un", "deux", "trois")]
    with sqlite3.connect(tmp_path / "keys.sqlite") as db:
        for day, key in enumerate((keys[1], keys[2], keys[0]), 1):
            db.execute("UPDATE keys SET created = ? WHERE id = ?", (f"2026-01-0{day}", key.id))
    assert [key.name for key in store.every()] == ["deux", "trois", "un"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://exemple.fr", "https://exemple.fr"),
        (" HTTPS://Exemple.FR/ ", "https://exemple.fr"),
        ("https://exemple.fr:443", "https://exemple.fr"),
        ("http://exemple.fr:80", "http://exemple.fr"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://exemple.fr:80", "https://exemple.fr:80"),
        ("https://mairie-évry.fr", "https://xn--mairie-vry-h7a.fr"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_a_site_is_kept_as_browsers_send_it(given: str, sent: str) -> None:
    assert origin(given) == sent


@pytest.mark.parametrize(
    "given",
    [
        "",
        "*",
        "null",
        "exemple.fr",
        "ftp://exemple.fr",
        "https://",
        "https://a@exemple.fr",
        "https://:mot@exemple.fr",
        "https://exemple.fr?x=1",
        "https://exemple.fr#x",
        "https://exemple.fr:99999",
        "https://-exemple.fr",
        "https://exem ple.fr",
        "https://[::1",
        "javascript://exemple.fr",
    ],
)
def test_what_is_no_site_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="Origine refusée"):
        origin(given)


@pytest.mark.parametrize("name", ["", " \t ", "x" * 101, "a\x00b", "a\u202eb"])
def test_a_name_is_a_short_text(store: KeyStore, name: str) -> None:
    with pytest.raises(UsageError, match="1 à 100"):
        store.create(name)
    assert not store.in_force()


def test_the_longest_name_and_its_spaces(store: KeyStore) -> None:
    assert store.create("x" * 100)[0].name == "x" * 100
    assert store.create("  la   mairie ")[0].name == "la mairie"
