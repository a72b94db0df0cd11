"""Which addresses may be asked: https, hosts that were named, and public IP addresses, checked where one connects."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection
from typing import Any

import httpx

from corpus.errors import BoussoleError

Resolve = Callable[..., list[Any]]  # as socket.getaddrinfo
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class FetchError(BoussoleError):
    """A document could not be fetched. `code` is one of: insecure, host_refused, private_address, unreachable, too_slow,
    too_large, too_many_redirects, http_status, wrong_type, truncated, robots, no_address, disk."""

    code = "unreachable"


def check_url(url: str, hosts: Collection[str], loopback: bool = False) -> httpx.URL:
    """The parsed address. Raises FetchError unless it is https, without credentials, on the usual port of one of `hosts`.
    `loopback`: for tests, http and any port of this very machine are let through."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError) as error:
        raise FetchError(f"Adresse illisible : « {url[:200]} ». Vérifiez-la.", code="unreachable") from error
    host = parsed.host.lower()
    local = loopback and host in ("127.0.0.1", "localhost", "::1")
    if parsed.scheme != "https" and not (local and parsed.scheme == "http"):
        raise FetchError(f"« {url[:200]} » : seules les adresses https sont suivies.", code="insecure")
    if parsed.userinfo or (parsed.port not in (None, 443) and not local):
        raise FetchError(f"« {host} » : adresse avec identifiants ou port inhabituel, refusée.", code="insecure")
    if host not in hosts:
        raise FetchError(
            f"« {host} » n'est pas un site du manifeste : rien n'y est demandé. Ajoutez le document au manifeste, ou "
            "téléchargez-le vous-même puis : boussole corpus add FICHIER",
            code="host_refused",
        )
    return parsed


def public_addresses(host: str, port: int, loopback: bool = False, resolve: Resolve = socket.getaddrinfo) -> list[str]:
    """The IP addresses of `host`, all of them public. Raises FetchError where one is not: a name that mixes both is an
    attack. What is returned is what must be connected to: resolving again could give other addresses (DNS rebinding)."""
    try:
        found = list(dict.fromkeys(str(info[4][0]) for info in resolve(host, port, type=socket.SOCK_STREAM)))
    except (OSError, UnicodeError) as error:
        raise FetchError(f"Site introuvable : « {host} ». Vérifiez la connexion.", code="unreachable") from error
    for address in found:
        ip = ipaddress.ip_address(address.split("%")[0])
        if not is_public(ip) and not (loopback and ip.is_loopback):
            raise FetchError(f"« {host} » mène à une adresse privée ({ip}) : refusée.", code="private_address")
    if not found:
        raise FetchError(f"Site introuvable : « {host} ».", code="unreachable")
    return found


def is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether `ip` is of the public Internet, also where an IPv6 address stands for an IPv4 one."""
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified
