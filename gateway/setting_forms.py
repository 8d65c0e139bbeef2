"""What a single setting's text must be like.

Owns the forms: each function returns what it is given, or a tidier form of it, and raises ValueError with a phrase that
goes on from "which".
Never looks at two settings together, and never shows a secret.
"""

import ipaddress
import os
import re
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.failpoints import Failpoints
from gateway.store.redis.address import RedisAddress
from gateway.store.sealing import read_key
from servicekit.client_credential import read_certificate

LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def guid(text: str) -> str:
    """Return a GUID in small letters."""
    if not _GUID.fullmatch(text):
        raise ValueError("is not a GUID")
    return text.lower()


def label(text: str) -> str:
    """Return the name of a tenant."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", text):
        raise ValueError("is not the name of a tenant (the part before .ciamlogin.com)")
    return text


def web_url(text: str) -> str:
    """Return an address of http or https, without a slash at its end; plain http is for machines near by."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("is not an http or https address")
    if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS and "." in parts.hostname:
        raise ValueError("is plain http to another machine")
    return text.rstrip("/")


def issuer(text: str) -> str:
    """Return an issuer to the letter."""
    web_url(text)
    return text  # some issuers end with a slash


def origin(text: str) -> str:
    """Return an origin that browsers send a secure cookie to."""
    url = web_url(text)
    parts = urlsplit(url)
    if parts.path:
        raise ValueError("has a path")
    if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS:
        raise ValueError("is plain http: the session cookie is only sent over https, or on localhost")
    return url


def redis_url(text: str) -> str:
    """Return an address of Redis."""
    RedisAddress.parse(text)
    return text


def readable(path: str) -> str:
    """Return the path of a file that can be read."""
    if not os.access(path, os.R_OK) or not Path(path).is_file():
        raise ValueError("is not a file that can be read")
    return path


def ca_bundle(path: str) -> str:
    """Return the path of a file with certificates."""
    try:
        ssl.create_default_context(cafile=readable(path))
    except ssl.SSLError:
        raise ValueError("holds no certificates in PEM form") from None
    return path


def sealing_keys(value: object) -> object:
    """Check the sealing keys without showing them."""
    for number, text in enumerate(str(value).split(","), 1):
        try:
            read_key(text)
        except ValueError as error:
            raise ValueError(f"has a key, number {number}, that {error}") from None
    return value


def certificate(text: str) -> str:
    """Return a certificate with its key, or the path of the file that holds both."""
    read_certificate(text)
    return text


def failpoints(text: str) -> str:
    """Return orders to fail on purpose."""
    Failpoints.parse(text)
    return text


def networks(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return addresses and networks."""
    for text in texts:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"names {text!r}, which is neither an address nor a network") from None
    return texts
