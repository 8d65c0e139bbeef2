"""What the text of a setting must be like, where both services ask for the same kind of thing.

Owns the forms: each function returns what it is given, or a tidier form of it, and raises ValueError with a phrase that
goes on from "which".
Never looks at two settings together, and never shows a secret.
"""

import os
import re
import socket
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from servicekit.address_map import AddressMap
from servicekit.client_credential import read_certificate

LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# A label of a host name (RFC 1123, section 2.1).
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


def is_on_loopback(url: str) -> bool:
    """Tell whether an address, of whatever form, leads to this machine."""
    try:
        return urlsplit(url).hostname in LOOPBACK_HOSTS
    except ValueError:
        return False


def is_guid(text: str) -> bool:
    """Tell whether a text is a GUID, in letters of either case."""
    return _GUID.fullmatch(text) is not None


def guid(text: str) -> str:
    """Return a GUID in small letters, as tokens write it."""
    if not is_guid(text):
        raise ValueError("is not a GUID")
    return text.lower()


def client_id(text: str) -> str:
    """Return a client id: a GUID in small letters, and that of another authority than Entra to the letter."""
    return text.lower() if is_guid(text) else text


def tenant_name(text: str) -> str:
    """Return the name of a tenant in small letters."""
    if not _LABEL.fullmatch(text):
        raise ValueError("is not the name of a tenant (the part before .ciamlogin.com)")
    return text.lower()


def web_address(url: str) -> SplitResult:
    """Return the parts of an address of http or https: scheme, host, perhaps a port and a path, and nothing else."""
    try:
        parts = urlsplit(url)
        odd = parts.port == 0 or parts.query or parts.fragment
    except ValueError:  # such as an open bracket, or a port of six digits
        raise ValueError("is not an http or https address") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or odd:
        raise ValueError("is not an http or https address")
    if "@" in parts.netloc:
        # It would be told wherever the address is: in logs, in a page's redirect, in what the doctor prints.
        raise ValueError("holds a user name or a password")
    return parts


def public_service_url(text: str) -> str:
    """Return the address of a service that everybody reaches by https, without a slash at its end.

    Plain http is for loopback only: in local work an address map leads a public name to where its stand-in is.
    """
    parts = web_address(text)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError("is plain http to another machine: tokens would travel without encryption")
    return text.rstrip("/")


def near_service_url(text: str) -> str:
    """Return the address of a service of ours, without a slash at its end.

    Plain http is for loopback, and for a name without a dot, as containers have it in a network of their own.
    """
    parts = web_address(text)
    if parts.scheme == "http" and not _is_near(parts.hostname or ""):
        raise ValueError("is plain http to another machine: tokens would travel without encryption")
    return text.rstrip("/")


def issuer(text: str) -> str:
    """Return an issuer to the letter: some end with a slash."""
    public_service_url(text)
    return text


def address_map(text: str) -> str:
    """Return a map of addresses for local work, of which none would send secrets to another machine unencrypted."""
    try:
        for url in AddressMap.parse(text, ["any"]).origins.values():
            near_service_url(url)
    except ValueError as error:
        raise ValueError(f"has an entry that cannot be used: {error}") from None
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


def certificate(text: str) -> str:
    """Return a certificate with its key, or the path of the file that holds both."""
    read_certificate(text)
    return text


def _is_near(host: str) -> bool:
    if host in LOOPBACK_HOSTS:
        return True
    return not ({".", ":"} & set(host) or _is_number(host))


def _is_number(host: str) -> bool:
    """Tell whether a name without a dot is an IPv4 address for the resolver: 134744072 is 8.8.8.8."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True
