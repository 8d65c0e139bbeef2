"""The session cookie: its form, and the names that follow from it.

Owns what the browser holds of a session.
Never adopts what a browser presents: a cookie that is not of our form is no cookie.
"""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

from gateway.store.names import SessionRef

COOKIE: Final = "__Host-Http-session"
_FORM: Final = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """What the browser holds: family, id and the secret half of the key that seals the session's records."""

    family: str
    id: str
    secret: bytes

    @classmethod
    def new(cls, family: str | None = None) -> "SessionCookie":
        """Make a cookie of 256 bits of id and as many of secret; a change of id keeps the family."""
        return cls(family or secrets.token_urlsafe(16), secrets.token_urlsafe(32), secrets.token_bytes(32))

    @classmethod
    def parse(cls, text: str | None) -> "SessionCookie | None":
        """Read what a browser sent; None unless it has exactly our form, so that Redis never sees foreign text."""
        found = _FORM.fullmatch(text) if text and len(text) < 128 else None  # noqa: PLR2004 - a little over the form
        if not found:
            return None
        return cls(found[1], found[2], base64.urlsafe_b64decode(found[3] + "="))

    @property
    def text(self) -> str:
        """The cookie's value."""
        secret = base64.urlsafe_b64encode(self.secret).decode().rstrip("=")
        return f"{self.family}.{self.id}.{secret}"

    @property
    def ref(self) -> SessionRef:
        """What the session is called in Redis and in logs."""
        return SessionRef(self.family, hashlib.sha256(self.id.encode()).hexdigest())

    def __repr__(self) -> str:
        return f"SessionCookie({self.ref.short})"
