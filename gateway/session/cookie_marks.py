"""Which cookies are of our making, told without asking Redis.

Owns how a new cookie's id follows from its secret half and a sealing key: nobody without the key can make one that
fits, and nobody without the secret can find the id, so that it is as good as a random one.
Never says that a session lives, and refuses nothing: a cookie that does not fit may be older than this rule, or than
the key.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from gateway.session.cookie import SessionCookie


class CookieMarks:
    """Makes cookies and knows them again; `keys` are the sealing keys, of which the first one makes new ones."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = [hashlib.sha256(b"stepup cookie marks" + key).digest() for key in keys]

    def new(self, family: str | None = None) -> SessionCookie:
        """Make a cookie; a change of id keeps the family."""
        family, secret = family or secrets.token_urlsafe(16), secrets.token_bytes(32)
        return SessionCookie(family, _identifier(self._keys[0], family, secret), secret)

    def is_ours(self, cookie: SessionCookie | None) -> bool:
        """Tell whether a cookie was made here, by any of the keys."""
        return cookie is not None and any(
            hmac.compare_digest(cookie.id, _identifier(key, cookie.family, cookie.secret))
            for key in self._keys
        )


def _identifier(key: bytes, family: str, secret: bytes) -> str:
    return SessionCookie.written(hmac.digest(key, family.encode() + secret, "sha256"))
