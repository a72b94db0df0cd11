"""Who may come in: this machine alone as long as no key exists; then keys, within their scopes, sites and rates.

The chat page is public once keys exist, like any page: a visit to it leaves a signed session cookie (HttpOnly,
SameSite=Strict, no identity in it), which opens the API to that page alone, at a rate per address. Cross-site requests
don't carry it, and its requests must come from our own origin.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import limits
from starlette._utils import get_route_path
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.keys import PUBLISHABLE_SCOPES, SCOPES, Key, KeyStore
from api.problems import problem
from api.rates import Rates

OPEN = ("/healthz", "/readyz", "/widget.js", "/openapi.json", "/docs", "/favicon.ico")
SCOPE_OF = {  # the rest of /v1 only reads
    "/v1/ask": "ask",
    "/v1/chat/completions": "ask",
    "/v1/search": "search",
    "/v1/feedback": "feedback",
    "/metrics": "metrics",
}
PAGE_RATE = "30/minute"  # questions of one address on the chat page
WRONG_KEYS = limits.parse("10/minute")  # of one address, before it is told to wait
READS = 10  # pages and documents read for one question of the rate
COOKIE = "boussole_page"
EMBEDDED = "et_"  # how a token of /embed begins
SESSION = 12 * 3600  # seconds
LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
FORWARDED = {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"}
EXPOSED = "X-Index-Generation, X-Request-ID, X-Highlight-Coverage, Retry-After, ETag, Content-Disposition"


class Refused(Exception):
    """The request ends here, with this status and problem."""

    def __init__(
        self, status: int, detail: str, code: str, *, retry_after: int | None = None, challenge: bool = False
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code
        self.retry_after = retry_after
        self.headers = {"WWW-Authenticate": 'Bearer realm="boussole"'} if challenge else {}


@dataclass(frozen=True)
class Visitor:
    """Whom a request comes from: what they may do, how often (None: no limit), counted under which name."""

    scopes: tuple[str, ...]
    rate: str | None
    name: str
    key: Key | None = None


class Access:
    """The door of the application."""

    def __init__(self, app: ASGIApp, store: KeyStore, rates: Rates) -> None:
        self._app = app
        self._store = store
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope)
        path, asked_from = get_route_path(scope), request.headers.get("origin", "")
        keyed = self._store.in_force()
        if keyed and asked_from and scope["method"] == "OPTIONS" and "access-control-request-method" in request.headers:
            await self._preflight(scope, asked_from, request)(scope, receive, send)
            return
        allowed_origin = ""
        try:
            if keyed:
                visitor = self._visitor(request, path)
                self._let_in(visitor, path)
                if visitor.key and asked_from in visitor.key.origins:
                    allowed_origin = asked_from
            else:
                _only_this_machine(request, path)
        except Refused as no:
            told = asked_from if keyed and asked_from and self._store.knows_origin(asked_from) else ""
            response = problem(
                scope, no.status, no.detail, code=no.code, retry_after=no.retry_after, headers=no.headers
            )
            await response(scope, receive, _with_cors(send, told))
            return
        cookie = self._session(request) if keyed and path == "/" and scope["method"] == "GET" else ""
        await self._app(scope, receive, _with_cookie(_with_cors(send, allowed_origin), cookie))

    # --- with keys

    def _visitor(self, request: Request, path: str) -> Visitor:
        given = request.headers.get("authorization", "")
        address = request.client.host if request.client else "unknown"
        if _open(path):
            return Visitor(SCOPES, None, "open")
        if given:
            return self._holder(given, address, request)
        page = Visitor(PUBLISHABLE_SCOPES, PAGE_RATE, f"page {address}")
        if not path.startswith("/v1/") and path != "/metrics":
            drawn = request.method in ("GET", "HEAD")  # the page's own files: one visit takes about fifty
            return Visitor(PUBLISHABLE_SCOPES, None, "page files") if drawn else page
        if self._in_session(request) and _same_origin(request):
            return page
        raise Refused(
            401,
            "Une clé est nécessaire : envoyez l'en-tête « Authorization: Bearer … ». "
            "Depuis la page de conversation, rechargez-la.",
            "key_missing",
            challenge=True,
        )

    def _holder(self, given: str, address: str, request: Request) -> Visitor:
        asked_from = request.headers.get("origin", "")
        kind, _, secret = given.partition(" ")
        if kind.casefold() != "bearer":
            key = None
        elif secret.startswith(EMBEDDED):
            return self._embedded(request, secret, address)
        else:
            key = self._store.find(secret.strip())
        if key is None:
            if wait := self._rates.wait(WRONG_KEYS, "wrong key", address):
                raise Refused(
                    429, f"Trop de clés refusées : réessayez dans {wait} s.", "too_many_keys", retry_after=wait
                )
            raise Refused(401, "Clé inconnue ou révoquée. Demandez-en une autre.", "key_unknown", challenge=True)
        if key.kind == "publishable" and asked_from not in key.origins:
            where = f"depuis « {asked_from[:200]} »" if asked_from else "hors d'une page web"
            raise Refused(403, f"Cette clé ne sert pas {where} : elle est liée à ses sites.", "origin_refused")
        name = key.id if key.kind == "secret" else f"{key.id} {address}"
        return Visitor(key.scopes, key.rate, name, key)

    def _embedded(self, request: Request, token: str, address: str) -> Visitor:
        """The holder of a token of /embed: what its key may do, from our own frame alone. Raises Refused."""
        key_id, _, signed = token.removeprefix(EMBEDDED).partition("_")
        until, _, signature = signed.partition(".")
        key = next((k for k in self._store.every() if k.id == key_id and not k.revoked), None)
        good = signature.isascii() and hmac.compare_digest(signature, self._sign(f"embed {key_id} {until}"))
        if key is None or not good or not until.isdigit() or int(until) <= time.time() or not _same_origin(request):
            raise Refused(
                401, "Cette page est ouverte depuis trop longtemps : rechargez-la.", "key_unknown", challenge=True
            )
        return Visitor(key.scopes, key.rate, f"{key.id} {address}", key)

    def _let_in(self, visitor: Visitor, path: str) -> None:
        """Check scope and rate. Raises Refused."""
        scope = SCOPE_OF.get(path, "read")
        if scope not in visitor.scopes:
            raise Refused(403, f"Cette clé n'ouvre pas « {scope} ».", "scope_refused")
        if visitor.rate is None:
            return
        rate = limits.parse(visitor.rate)
        if scope == "read":
            rate = type(rate)(rate.amount * READS, rate.multiples)
        bucket = "reads" if scope == "read" else "questions"
        if wait := self._rates.wait(rate, bucket, visitor.name):
            raise Refused(429, f"Trop de demandes : réessayez dans {wait} s.", "rate_limited", retry_after=wait)

    def _preflight(self, scope: Scope, asked_from: str, request: Request) -> Response:
        if not self._store.knows_origin(asked_from):
            return problem(scope, 403, "Aucune clé ne sert depuis ce site.", code="origin_refused")
        headers = {
            "Access-Control-Allow-Origin": asked_from,
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match",
            "Access-Control-Max-Age": "600",
            "Vary": "Origin, Access-Control-Request-Headers",
        }
        if request.headers.get("access-control-request-private-network") == "true":
            headers["Access-Control-Allow-Private-Network"] = "true"
        return Response(status_code=204, headers=headers)

    # --- the page's session

    def _session(self, request: Request) -> str:
        """The cookie that a visit to the page leaves."""
        until = str(int(time.time()) + SESSION)
        path = (request.scope.get("root_path") or "") + "/"
        secure = "; Secure" if request.url.scheme == "https" else ""
        return (
            f"{COOKIE}={until}.{self._sign(until)}; Path={path}; Max-Age={SESSION}; HttpOnly; SameSite=Strict{secure}"
        )

    def _in_session(self, request: Request) -> bool:
        until, _, signature = request.cookies.get(COOKIE, "").partition(".")
        if not until.isascii() or not until.isdigit() or not signature.isascii():
            return False
        return hmac.compare_digest(signature, self._sign(until)) and int(until) > time.time()

    def _sign(self, text: str) -> str:
        return sign(self._store, text)


def sign(store: KeyStore, text: str) -> str:
    """What shows that this server, or another worker of it, wrote `text`."""
    return hmac.new(store.page_secret(), text.encode(), hashlib.sha256).hexdigest()


def embed_token(store: KeyStore, key: Key) -> str:
    """What the widget in our own frame shows in the place of its key, for some hours."""
    until = int(time.time()) + SESSION
    return f"{EMBEDDED}{key.id}_{until}.{sign(store, f'embed {key.id} {until}')}"


def _open(path: str) -> bool:
    return path in OPEN or path.startswith("/docs/")


def _only_this_machine(request: Request, path: str) -> None:
    """As long as no key exists. The Host check keeps a site whose name was rebound to 127.0.0.1 out. Raises Refused."""
    if path in ("/healthz", "/readyz"):
        return
    name = _host_name(request.headers.get("host", ""))
    here = _loopback(request.client.host if request.client else "") and name in LOOPBACK_NAMES
    if not here or FORWARDED.intersection(request.headers.keys()):  # a proxy on this machine speaks for others
        raise Refused(
            403,
            "Sans clé, ce service ne répond qu'à la machine où il tourne, à http://127.0.0.1 ou http://localhost. "
            "Pour l'ouvrir : boussole keys create --name NOM",
            "key_needed",
        )
    if not _same_origin(request):
        raise Refused(
            403,
            "Sans clé, ce service ne répond pas à un autre site. Pour l'ouvrir : boussole keys create --name NOM --origin URL",
            "origin_refused",
        )


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return parsed.is_loopback or bool(mapped and mapped.is_loopback)


def _same_origin(request: Request) -> bool:
    """Whether a browser says that the request comes from our own pages; programs say nothing."""
    asked_from = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "none")
    reading = request.method in ("GET", "HEAD") and request.headers.get("sec-fetch-mode") == "navigate"
    if asked_from and asked_from.partition("://")[2] != request.headers.get("host", ""):
        return False
    return site in ("same-origin", "none") or reading


def _with_cors(send: Send, allowed_origin: str) -> Send:
    if not allowed_origin:
        return send

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = allowed_origin
            headers["Access-Control-Expose-Headers"] = EXPOSED
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            headers.add_vary_header("Origin")
        await send(message)

    return sent


def _with_cookie(send: Send, cookie: str) -> Send:
    if not cookie:
        return send

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.append("Set-Cookie", cookie)
            headers["Cache-Control"] = "no-store"
        await send(message)

    return sent
