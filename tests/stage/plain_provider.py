"""An OpenID provider small enough to read, whose every answer a test may shape.

Written from the specifications with aiohttp and cryptography alone: it shares no code with the product, with the local
tenant or with MSAL. It has one client and one person, and shows no page: `authorize` answers at once.
"""

import base64
import functools
import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import BasicAuth, web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

Claims = dict[str, Any]

ISSUER = "https://op.example"
CLIENT = "a-client"
SECRET = "a-secret-of-the-client"
SUBJECT = "subject-1"
SID = "session-1"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def base64url(data: bytes) -> str:
    """Encode as RFC 7515 does."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    """Encode a number as RFC 7518 does."""
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@functools.cache
def rsa_key(_number: int) -> rsa.RSAPrivateKey:
    """Return one of a few keys, the same for the same number: making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def compact(header: Claims, claims: Claims, sign: Callable[[bytes], bytes]) -> str:
    """Put a token together; `sign` makes the signature of its first two parts."""
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{base64url(sign(signed.encode()))}"


@dataclass(frozen=True)
class Key:
    """One RSA key under a name."""

    kid: str
    private: rsa.RSAPrivateKey

    def rs256(self, data: bytes) -> bytes:
        """Sign."""
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def token(self, claims: Claims, **header: str | None) -> str:
        """Return a signed token; a header member of None is left out."""
        members = {"alg": "RS256", "typ": "JWT", "kid": self.kid, **header}
        return compact(
            {name: value for name, value in members.items() if value is not None}, claims, self.rs256
        )

    def jwk(self) -> Claims:
        """Return the public half (RFC 7517)."""
        numbers = self.private.public_key().public_numbers()
        n, e = number(numbers.n), number(numbers.e)
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": n, "e": e}


@dataclass(frozen=True)
class Grant:
    """What a token stands for."""

    scopes: frozenset[str]
    acr: str


@dataclass
class PlainProvider:
    """The provider; whatever a test sets here, it answers. `now` is the wall clock in seconds."""

    now: Callable[[], float]
    signing: Key = field(default_factory=lambda: Key("key-1", rsa_key(1)))
    jwks: list[Claims] = field(default_factory=list)
    metadata: Claims = field(default_factory=dict)
    """Members of the discovery document to change; None removes one."""
    answer: Claims = field(default_factory=dict)
    """Members of the token answer to change; None removes one."""
    refusal: Callable[[], web.Response] | None = None
    """The answer to every refresh, where a test says one."""
    shape: Callable[[Claims], str | None] | None = None
    """Makes the ID token of given claims; None means: sign them as they are."""
    sub: str = SUBJECT
    demand: str = ""
    """What the API asks for, as `WWW-Authenticate`, of a token without an `acr`."""
    read_demand: str = ""
    """What the profile's own address asks for, as `WWW-Authenticate`."""
    requests: Counter[str] = field(default_factory=Counter)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    rotates: bool = False
    """Whether a refresh token is good for one refresh."""
    _grants: dict[str, Grant] = field(default_factory=dict)
    """By access and by refresh token."""

    def __post_init__(self) -> None:
        self.jwks = [self.signing.jwk()]

    def rotate(self, *, publish: bool = True) -> None:
        """Sign with a new key; the old one is published no longer."""
        self.signing = Key("key-2", rsa_key(2))
        if publish:
            self.jwks = [self.signing.jwk()]

    def authorize(self, url: str) -> dict[str, str]:
        """Answer an authorization request with a code, as the person's browser would carry it."""
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/authorize"
        assert (query["client_id"], query["response_type"]) == (CLIENT, "code")
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return {"code": code, "state": query["state"], "iss": ISSUER}

    def claims(self, **more: Any) -> Claims:
        """Return what a true ID token says."""
        now = int(self.now())
        return {
            "iss": ISSUER,
            "sub": self.sub,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 600,
            "auth_time": now,
            "sid": SID,
            "name": "Ada Lovelace",
            "email": "ada@example.com",
            **more,
        }

    def logout_claims(self, **changed: Any) -> Claims:
        """Return what a true logout token says; None removes a claim."""
        now = int(self.now())
        claims = {
            "iss": ISSUER,
            "sub": self.sub,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_urlsafe(16),
            "events": {LOGOUT_EVENT: {}},
            "sid": SID,
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def logout_token(self, **changed: Any) -> str:
        """Return a signed logout token."""
        return self.signing.token(self.logout_claims(**changed), typ="logout+jwt")

    def scopes_of(self, token: str) -> frozenset[str]:
        """Return what a token opens."""
        return self._grants[token].scopes

    def app(self) -> web.Application:
        """Return the provider's web application, with a profile to read at Graph's address and an API to edit it."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/token", self._token)
        app.router.add_get("/v1.0/me", self._me)
        app.router.add_patch("/profile", self._profile)
        return app

    async def _discovery(self, _request: web.Request) -> web.Response:
        self.requests["discovery"] += 1
        metadata = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "end_session_endpoint": f"{ISSUER}/end",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return web.json_response(_changed(metadata, self.metadata))

    async def _keys(self, _request: web.Request) -> web.Response:
        self.requests["keys"] += 1
        return web.json_response({"keys": self.jwks})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        grant = form["grant_type"]
        self.requests[grant] += 1
        if _client(request, form) != (CLIENT, SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        if grant == "authorization_code":
            asked = self._codes.pop(form["code"], None)
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            if asked is None or base64url(digest) != asked["code_challenge"]:
                return web.json_response({"error": "invalid_grant"}, status=400)
            # OpenID Connect Core, section 11: without prompt=consent, offline access is not granted.
            scopes = frozenset(asked["scope"].split()) - {"offline_access"}
            return self._tokens(self.claims(nonce=asked["nonce"]), Grant(scopes, asked.get("acr_values", "")))
        if grant != "refresh_token":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        return self.refusal() if self.refusal else self._refreshed(form)

    def _refreshed(self, form: dict[str, str]) -> web.Response:
        granted = self._grants.get(form.get("refresh_token", ""))
        if granted is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        if self.rotates:
            del self._grants[form["refresh_token"]]
        if not set(form["scope"].split()) <= granted.scopes:  # RFC 6749, section 6
            return web.json_response({"error": "invalid_scope"}, status=400)
        return self._tokens(self.claims(), granted, Grant(frozenset(form["scope"].split()), granted.acr))

    def _tokens(self, claims: Claims, grant: Grant, of_access: Grant | None = None) -> web.Response:
        access_token, refresh_token = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self._grants |= {access_token: of_access or grant, refresh_token: grant}
        answer = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": refresh_token,
            "id_token": (self.shape or self.signing.token)(claims),
        }
        return web.json_response(_changed(answer, self.answer))

    async def _profile(self, request: web.Request) -> web.Response:
        self.requests["edit"] += 1
        granted = self._grants[request.headers["Authorization"].removeprefix("Bearer ")]
        demand = "" if granted.acr else self.demand
        if "profile.edit" not in granted.scopes:
            demand = 'Bearer error="insufficient_scope", scope="profile.edit"'
        if demand:
            return web.json_response({}, status=401, headers={"WWW-Authenticate": demand})
        return web.json_response({"id": SUBJECT, "displayName": "Ada Lovelace", **await request.json()})

    async def _me(self, _request: web.Request) -> web.Response:
        self.requests["me"] += 1
        if self.read_demand:
            return web.json_response({}, status=401, headers={"WWW-Authenticate": self.read_demand})
        return web.json_response({"id": SUBJECT, "displayName": "Ada Lovelace"})


def _changed(members: Claims, changes: Claims) -> Claims:
    return {name: value for name, value in {**members, **changes}.items() if value is not None}


def _client(request: web.Request, form: dict[str, str]) -> tuple[str, str]:
    if "Authorization" in request.headers:
        basic = BasicAuth.decode(request.headers["Authorization"])
        return basic.login, basic.password
    return form.get("client_id", ""), form.get("client_secret", "")
