"""What the text of a setting must be like, where both services ask for the same kind of thing.

Owns the forms: each function returns what it is given, or a tidier form of it, and raises ValueError with a phrase that
goes on from "which".
Never looks at two settings together, and never shows a secret.
"""

import ipaddress
import os
import re
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from servicekit.address_map import AddressMap
from servicekit.client_credential import read_certificate
from servicekit.federated_token import read_token
from servicekit.http.serving import server_tls
from servicekit.setting_sentences import shown
from servicekit.web_address import read_web_address

LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# A label of a host name (RFC 1123, section 2.1).
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.IGNORECASE)
_NIL: Final = "00000000-0000-0000-0000-000000000000"
# What people copy from a browser or from Microsoft's samples in place of the tenant's name.
_TENANT_DOMAIN: Final = re.compile(
    r"(?:https?://)?([a-z0-9-]{1,63})\.(?:ciamlogin|onmicrosoft)\.com(?:/.*)?", re.IGNORECASE
)
_ANYBODYS: Final = re.compile(
    r"login\.microsoftonline\.com/(common|organizations|consumers)\b", re.IGNORECASE
)


def is_on_loopback(url: str) -> bool:
    """Tell whether an address leads to this machine; what is no address leads nowhere."""
    try:
        return read_web_address(url).is_on_loopback
    except ValueError:
        return False


def is_guid(text: str) -> bool:
    """Tell whether a text is a GUID, in letters of either case."""
    return _GUID.fullmatch(text) is not None


def guid(text: str) -> str:
    """Return a GUID in small letters, as tokens write it."""
    if not is_guid(text):
        raise ValueError("is not a GUID")
    if text == _NIL:
        raise ValueError("is the GUID of nothing")
    return text.lower()


def client_id(text: str) -> str:
    """Return a client id: a GUID in small letters, and that of another authority than Entra to the letter."""
    return text.lower() if is_guid(text) else text


def tenant_name(text: str) -> str:
    """Return the name of a tenant in small letters."""
    if is_guid(text):
        raise ValueError("is the tenant's id, and not its name (the part before .ciamlogin.com)")
    if whole := _TENANT_DOMAIN.fullmatch(text):
        raise ValueError(f"is not the name of a tenant alone, which would be {whole[1]}")
    if not _LABEL.fullmatch(text):
        raise ValueError("is not the name of a tenant (the part before .ciamlogin.com)")
    return text.lower()


def public_service_url(text: str) -> str:
    """Return the address of a service that everybody reaches by https, in normal form, without a slash at its end.

    Plain http is for loopback only: in local work an address map leads a public name to where its stand-in is.
    """
    address = read_web_address(text)
    if address.scheme == "http" and not address.is_on_loopback:
        raise ValueError("is plain http to another machine: tokens would travel without encryption")
    return str(address).rstrip("/")


def web_page(text: str) -> str:
    """Return the address of a page, with a query where it has one."""
    read_web_address(text.partition("?")[0])
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("is not an http or https address")
    return text


def near_service_url(text: str) -> str:
    """Return the address of a service of ours, in normal form, without a slash at its end.

    Plain http is for loopback, and for a name without a dot, as containers have it in a network of their own.
    """
    address = read_web_address(text)
    is_near = address.is_on_loopback or not {".", ":"} & set(address.host)
    if address.scheme == "http" and not is_near:
        raise ValueError("is plain http to another machine: tokens would travel without encryption")
    return str(address).rstrip("/")


def graph_url(text: str) -> str:
    """Return Graph's address, with its version, in normal form."""
    url = public_service_url(text)
    if url == "https://graph.microsoft.com":
        raise ValueError("lacks Graph's version")
    return url


def issuer(text: str) -> str:
    """Return an issuer to the letter: it is compared so, and some end with a slash or name the default port.

    Not checked: the case of its letters, which is the authority's own (RFC 8414, section 3.3).
    """
    public_service_url(text)
    host = read_web_address(text).host
    if host not in text.lower():
        raise ValueError(f"has a host that is not written as browsers do, which would be {host}")
    if "/.well-known/" in text:
        raise ValueError(
            "is the address of the authority's metadata: leave out /.well-known and what follows"
        )
    if _ANYBODYS.search(text):
        raise ValueError("is the address for people of any tenant: name one tenant in it")
    return text


def listening_address(text: str) -> str:
    """Return an address or a name to listen on, without brackets."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if bare == "*":
        raise ValueError("is no address; 0.0.0.0 stands for every one of this machine")
    if not (_is_ip(bare) or (_NAME.fullmatch(bare) and not bare.isdigit())):
        raise ValueError("is not an address alone, without a scheme or a port")
    return bare


def address_map(text: str) -> str:
    """Return a map of addresses for local work, of which none would send secrets to another machine unencrypted."""
    try:
        for url in AddressMap.parse(text, ["any"]).origins.values():
            near_service_url(url)
    except ValueError as error:
        raise ValueError(f"has an entry that cannot be used: {error}") from None
    return text


def quoted(texts: Iterable[str]) -> str:
    """Return what is wrong in a list, as a sentence shows it."""
    return ", ".join(map(shown, texts))


def readable(path: str) -> str:
    """Return the path of a file that can be read."""
    if not os.access(path, os.R_OK) or not Path(path).is_file():
        raise ValueError("is not a file that can be read")
    return path


def appendable(path: str) -> str:
    """Return the path of a file that can be appended to, or made where it lies."""
    file = Path(path)
    try:
        can_be = not file.is_dir() and os.access(file if file.exists() else file.parent, os.W_OK)
    except (OSError, ValueError):  # longer than any name, or with a character that none has
        can_be = False
    if not can_be:
        raise ValueError("is not a file that can be written")
    return path


def ca_bundle(path: str) -> str:
    """Return the path of a file with certificates."""
    try:
        ssl.create_default_context(cafile=readable(path))
    except ssl.SSLError:
        raise ValueError("holds no certificates in PEM form") from None
    return path


def server_pem(path: str) -> str:
    """Return the path of a file with a certificate and its key, by which a server can prove itself."""
    try:
        server_tls(readable(path))
    except (ssl.SSLError, OSError):
        raise ValueError("holds no certificate with its unencrypted key in PEM form") from None
    return path


def federated_token_file(path: str) -> str:
    """Return the path of a file with a token in JWT form."""
    read_token(Path(path))
    return path


def certificate(text: str) -> str:
    """Return a certificate with its key, or the path of the file that holds both."""
    read_certificate(text)
    return text


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
