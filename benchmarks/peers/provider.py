"""An OpenID provider for the peers, as a program: one client, whoever the browser's cookie says, and no page.

Written from OpenID Connect Core 1.0 and Discovery 1.0. Its access tokens are signed and as long as Entra's. It checks
the client's secret, the code and, where one was sent, the PKCE verifier; it is no example of a provider otherwise.

    python -m benchmarks.peers.provider PORT
"""

import base64
import hashlib
import json
import secrets
import sys
import time
from typing import Any, Final
from urllib.parse import unquote, urlencode

from aiohttp import BasicAuth, web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from benchmarks.peers.peer import ADA, CLIENT, GRACE, SECRET

Claims = dict[str, Any]
PEOPLE: Final = {ADA: "Ada Lovelace", GRACE: "Grace Hopper"}
HOUR: Final = 3600
_PADDING: Final = 900
"""Bytes that make an access token about 1,900 characters long, as Entra's are."""


def base64url(data: bytes) -> str:
    """Encode as RFC 7515 does."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """The provider; codes are good once."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._codes: dict[str, tuple[str, dict[str, str]]] = {}
        self._people: dict[str, str] = {}
        """By access and by refresh token."""

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        app.router.add_get("/userinfo", self._userinfo)
        return app

    async def _discovery(self, _request: web.Request) -> web.Response:
        of = self._issuer
        return web.json_response(
            {
                "issuer": of,
                "authorization_endpoint": f"{of}/authorize",
                "token_endpoint": f"{of}/token",
                "userinfo_endpoint": f"{of}/userinfo",
                "jwks_uri": f"{of}/keys",
                "end_session_endpoint": f"{of}/end",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            }
        )

    async def _keys(self, _request: web.Request) -> web.Response:
        numbers = self._key.public_key().public_numbers()
        n, e = (
            base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
            for number in (numbers.n, numbers.e)
        )
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "key-1", "n": n, "e": e}
        return web.json_response({"keys": [key]})

    async def _authorize(self, request: web.Request) -> web.Response:
        query, person = dict(request.query), request.cookies["person"].strip('"')
        code = secrets.token_urlsafe(16)
        self._codes[code] = (person, query)
        answer = urlencode({"code": code, "state": query["state"]})
        raise web.HTTPFound(f"{query['redirect_uri']}?{answer}")

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if _client(request, form) != (CLIENT, SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        if form["grant_type"] == "refresh_token" and form["refresh_token"] in self._people:
            return self._tokens(self._people[form["refresh_token"]], {})
        person, asked = self._codes.pop(form.get("code", ""), ("", {}))
        if not person or not _proved(asked, form) or asked["redirect_uri"] != form["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        nonce = {"nonce": asked["nonce"]} if "nonce" in asked else {}
        return self._tokens(person, nonce)

    def _tokens(self, person: str, more: Claims) -> web.Response:
        now = int(time.time())
        times = {"iss": self._issuer, "iat": now, "nbf": now, "exp": now + HOUR}
        access = self._signed(
            {**times, "aud": "an-api", "sub": person, "scp": "rows.read", "rest": base64url(bytes(_PADDING))}
        )
        refresh = secrets.token_urlsafe(900)
        self._people |= {access: person, refresh: person}
        return web.json_response(
            {
                "access_token": access,
                "refresh_token": refresh,
                "id_token": self._signed({**times, "aud": CLIENT, **_claims(person), **more}),
                "token_type": "Bearer",
                "expires_in": HOUR,
            }
        )

    async def _userinfo(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        person = self._people.get(token)
        return web.json_response(_claims(person)) if person else web.Response(status=401)

    def _signed(self, claims: Claims) -> str:
        header = {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
        text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{base64url(self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _claims(person: str) -> Claims:
    return {
        "sub": person,
        "name": PEOPLE[person],
        "email": person,
        "email_verified": True,
        "preferred_username": person,
    }


def _client(request: web.Request, form: Claims) -> tuple[str, str]:
    header = request.headers.get("Authorization")
    if header is None:
        return str(form.get("client_id")), str(form.get("client_secret"))
    basic = BasicAuth.decode(header)
    return unquote(basic.login), unquote(basic.password)


def _proved(asked: Claims, form: Claims) -> bool:
    """Tell whether the verifier is that of the challenge (RFC 7636), where there was one."""
    if "code_challenge" not in asked:
        return True
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return bool(base64url(digest) == asked["code_challenge"])


if __name__ == "__main__":
    port = int(sys.argv[1])
    web.run_app(Provider(f"http://127.0.0.1:{port}").app(), host="127.0.0.1", port=port, print=None)
