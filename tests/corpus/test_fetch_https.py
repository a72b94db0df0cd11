"""Fetching over real https, from a server of this machine whose certificate an authority of our own signs."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from web import PDF, Web, serve_web

from corpus.addresses import FetchError
from corpus.fetch import Fetcher, FetchLimits
from corpus.fetch_connection import seconds_of

LIMITS = FetchLimits(bytes=2 * 2**20, seconds=5, silence=1, pause=0)
NOW = datetime.datetime.now(datetime.UTC)


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, signer: ec.EllipticCurvePrivateKey, authority: bool
) -> x509.Certificate:
    made = x509.CertificateBuilder().subject_name(named(name)).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(NOW - datetime.timedelta(days=1)).not_valid_after(NOW + datetime.timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(authority, None), critical=True)
    if not authority:
        addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        made = made.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    return made.sign(signer, hashes.SHA256())


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """The authority's certificate, and what a server at 127.0.0.1 (and under no other name) needs."""
    folder = tmp_path_factory.mktemp("tls")
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate("Autorité de test", root_key, named("Autorité de test"), root_key, authority=True)
    leaf = certificate("127.0.0.1", key, root.subject, root_key, authority=False)
    (folder / "ca.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + leaf.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return folder / "ca.pem", context


@pytest.fixture
def web(authority: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))  # how an operator adds the authority of a proxy
    with serve_web(authority[1]) as served:
        yield served


@pytest.fixture
def fetcher(web: Web) -> Iterator[Fetcher]:
    with Fetcher(["127.0.0.1", "localhost"], LIMITS, loopback=True) as made:
        yield made


def refusal(fetcher: Fetcher, url: str, part: Path) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetcher.fetch(url, part)
    return caught.value


def test_a_document_comes_over_https(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    assert web.url.startswith("https://")
    assert fetcher.fetch(f"{web.url}/doc.pdf", tmp_path / "a.part").path.read_bytes() == PDF


def test_an_authority_that_is_not_known_is_refused(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with Fetcher(["127.0.0.1"], LIMITS, loopback=True) as fetcher:
        error = refusal(fetcher, f"{web.url}/doc.pdf", tmp_path / "a.part")
    assert error.code == "insecure"
    assert "SSL_CERT_FILE" in str(error)
    assert web.paths() == []


def test_a_certificate_of_another_name_is_refused(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    port = web.url.rsplit(":", 1)[1]
    assert refusal(fetcher, f"https://localhost:{port}/doc.pdf", tmp_path / "a.part").code == "insecure"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http:~~odd17.org~a.pdf", "insecure"),
        ("https:~~ailleurs.example~a.pdf", "host_refused"),
        ("https:~~10.0.0.1~a.pdf", "host_refused"),
        ("https:~~[::1]~a.pdf", "host_refused"),
    ],
    ids=["back to http", "another host", "a private address", "this machine by another name"],
)
def test_redirects_that_are_refused(web: Web, fetcher: Fetcher, tmp_path: Path, target: str, code: str) -> None:
    assert refusal(fetcher, f"{web.url}/to/{target}", tmp_path / "a.part").code == code


def test_a_redirect_within_the_host_is_followed(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    got = fetcher.fetch(f"{web.url}/to/~doc.pdf", tmp_path / "a.part")
    assert got.url == f"{web.url}/doc.pdf"


def test_a_cut_download_goes_on_and_a_changed_document_starts_anew(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    web.cuts["/cut.pdf"] = 1
    assert fetcher.fetch(f"{web.url}/cut.pdf", tmp_path / "a.part").path.read_bytes() == PDF
    assert [headers.get("range") is not None for path, headers in web.asked if path == "/cut.pdf"] == [False, True]
    web.cuts["/cut.pdf"] = 9
    assert refusal(fetcher, f"{web.url}/cut.pdf", tmp_path / "b.part").code == "truncated"
    web.cuts.clear()
    web.pdf, web.etag = PDF.replace(b"octets", b"OCTETS"), '"v2"'
    assert fetcher.fetch(f"{web.url}/cut.pdf", tmp_path / "b.part").path.read_bytes() == web.pdf


def test_a_server_that_asks_to_wait_a_little_is_waited_for(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    web.cuts["/busy.pdf"], web.retry_after = 1, "1"
    assert fetcher.fetch(f"{web.url}/busy.pdf", tmp_path / "a.part").size == len(PDF)
    assert web.paths() == ["/busy.pdf"] * 2


def test_a_server_that_asks_to_wait_long_is_left_and_the_message_says_when(
    web: Web, fetcher: Fetcher, tmp_path: Path
) -> None:
    web.cuts["/busy.pdf"], web.retry_after = 9, "3000"
    error = refusal(fetcher, f"{web.url}/busy.pdf", tmp_path / "a.part")
    assert error.code == "http_status"
    assert "dans 50 minutes" in str(error)
    assert web.paths() == ["/busy.pdf"]


def test_an_error_of_the_server_is_tried_again(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    web.cuts["/error.pdf"] = 2
    assert fetcher.fetch(f"{web.url}/error.pdf", tmp_path / "a.part").size == len(PDF)
    web.cuts["/error.pdf"] = 9
    assert refusal(fetcher, f"{web.url}/error.pdf", tmp_path / "b.part").code == "http_status"


def test_retry_after_is_seconds_or_a_date() -> None:
    assert seconds_of("120") == 120
    later = seconds_of(
        format_datetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=2), usegmt=True)
    )
    assert later is not None
    assert 100 < later <= 120
    assert seconds_of("bientôt") is None
    assert seconds_of("") is None
