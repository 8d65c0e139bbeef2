"""What a token says, read without asking whether it is true: for whoever explains a configuration.

Owns the reading of the payload of a compact JWT. Nothing that comes out may be believed, and no service uses it when it
serves.
"""

import base64
from typing import Any, Final

from servicekit.strict_json import load_strict_json

_PARTS: Final = 3


def claims_unverified(token: str) -> dict[str, Any] | None:
    """Return the claims of a compact JWT (RFC 7519, section 3), or None for what is none."""
    parts = token.split(".")
    if len(parts) != _PARTS or not all(parts):
        return None
    try:
        claims = load_strict_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None
