"""What the text of a setting must be like that only the gateway has.

Owns the forms, as `servicekit.setting_forms` does those of both services: each function returns what it is given, or a
tidier form of it, and raises ValueError with a phrase that goes on from "which".
Never looks at two settings together, and never shows a secret.
"""

import ipaddress

from gateway.store.redis.address import RedisAddress
from gateway.store.sealing import read_key
from servicekit.setting_forms import is_on_loopback, web_address


def origin(text: str) -> str:
    """Return an origin that browsers send a secure cookie to."""
    parts = web_address(text)
    if parts.path.strip("/"):
        raise ValueError("has a path")
    if parts.scheme == "http" and not is_on_loopback(text):
        raise ValueError("is plain http: the session cookie is only sent over https, or on localhost")
    return text.rstrip("/")


def redis_url(text: str) -> str:
    """Return an address of Redis."""
    RedisAddress.parse(text)
    return text


def sealing_keys(value: object) -> object:
    """Check the sealing keys without showing them."""
    for number, text in enumerate(str(value).split(","), 1):
        try:
            read_key(text)
        except ValueError as error:
            raise ValueError(f"has a key, number {number}, that {error}") from None
    return value


def networks(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return addresses and networks."""
    for text in texts:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"names {text!r}, which is neither an address nor a network") from None
    return texts
