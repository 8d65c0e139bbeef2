"""What was asked of the tenant, newest last, for tests to assert on. Secrets are cut before anything is kept.

A cut secret leaves a fingerprint, so that a test can tell whether two requests carried the same one.
"""

import hashlib
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

_KEPT: Final = 2000
_SECRET_FIELDS: Final = frozenset(
    {
        *("client_secret", "client_assertion", "assertion", "refresh_token", "code", "code_verifier"),
        *("password", "id_token_hint", "access_token", "id_token"),
    }
)
_KEPT_BODIES: Final = frozenset({"graph.get_me", "graph.patch_me"})
_CREDENTIAL_HEADERS: Final = frozenset({"authorization", "proxy-authorization"})
_LOOKS_LIKE_JWT: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


def fingerprint(secret: str) -> str:
    """Return what is kept of a secret: enough to compare, not enough to use."""
    # Of any text: a neighbour's cookie may be no UTF-8, and comes along on every port of this computer.
    digest = hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
    return f"[cut sha256:{digest[:12]}]"


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and how it was answered."""

    at: str
    point: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]
    body: str | None
    status: int

    def as_json(self) -> dict[str, object]:
        """Return the entry as ``GET /admin/requests`` answers it."""
        return {name: getattr(self, name) for name in Entry.__slots__}


@dataclass(slots=True)
class Journal:
    """The latest requests."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def of(self, point: str | None) -> list[Entry]:
        """Return the entries of one point, or all; newest last."""
        return [entry for entry in self.entries if point is None or entry.point == point]


def without_secrets(fields: Mapping[str, str]) -> dict[str, str]:
    """Return form or query fields with their secrets cut."""
    return {
        name: fingerprint(value) if name in _SECRET_FIELDS and value else _without_jwt(value)
        for name, value in fields.items()
    }


def headers_without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers, names in lower case: cookies cut, credentials cut but for their scheme."""
    return {name.lower(): _cut_header(name.lower(), value) for name, value in headers.items()}


def _cut_header(name: str, value: str) -> str:
    if name == "cookie":
        return fingerprint(value)  # whole: of several cookies, the first looks like a scheme
    if name in _CREDENTIAL_HEADERS:
        scheme, _, credential = value.partition(" ")
        return f"{scheme} {fingerprint(credential)}" if credential else fingerprint(value)
    return _without_jwt(value)


def body_without_secrets(point: str, body: str) -> str:
    """Return what is kept of a body that is no form: all of a profile, a fingerprint of what may hold a secret."""
    return _without_jwt(body) if point in _KEPT_BODIES else fingerprint(body)


def form_fields(content_type: str, body: str) -> dict[str, str]:
    """Return the fields of a form body; nothing for another type."""
    if content_type != "application/x-www-form-urlencoded":
        return {}
    return dict(parse_qsl(body, keep_blank_values=True))


def _without_jwt(value: str) -> str:
    return _LOOKS_LIKE_JWT.sub(lambda match: fingerprint(match[0]), value)
