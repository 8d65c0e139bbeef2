"""What the text of a setting must be like that only the gateway has.

Owns the forms, as `servicekit.setting_forms` does those of both services: each function returns what it is given, or a
tidier form of it, and raises ValueError with a phrase that goes on from "which".
Never looks at two settings together, and never shows a secret.
"""

import ipaddress
import re
from typing import Final
from urllib.parse import parse_qsl

from gateway.edge.content_policy import read_additions
from gateway.edge.file_folder import front_end_folder
from gateway.store.redis.address import RedisAddress
from servicekit.http.host_field import host_of
from servicekit.setting_forms import quoted
from servicekit.setting_sentences import shown
from servicekit.web_address import read_web_address

_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
# In the names of Microsoft Graph's permissions, and in other people's, what says that more than reading is allowed.
_WRITES: Final = re.compile(
    r"write|manage|full_?control|delete|create|update|accessasuser|impersonation|\bsend\b", re.IGNORECASE
)


def origin(text: str) -> str:
    """Return an origin that browsers send a secure cookie to, as they spell it in `Origin` and `Host`."""
    address = read_web_address(text)
    if address.path.strip("/"):
        raise ValueError("has a path")
    if address.scheme == "http" and not address.is_on_loopback:
        raise ValueError("is plain http: the session cookie is only sent over https, or on localhost")
    return address.origin


def origins(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return origins of front ends, each once and as browsers spell it in `Origin`."""
    return tuple(dict.fromkeys(map(_named_origin, texts)))


def _named_origin(text: str) -> str:
    try:
        return origin(text)
    except ValueError as error:
        raise ValueError(f"names {shown(text)}, which {error}") from None


def front_end(text: str) -> str:
    """Return the path of a folder that can be served."""
    return front_end_folder(text)


def csp_additions(text: str) -> str:
    """Return what is added to the content security policy, as it was written."""
    read_additions(text)
    return text


def redis_url(text: str) -> str:
    """Return an address of Redis."""
    RedisAddress.parse(text)
    return text


def networks(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return addresses and networks."""
    wrong = [text for text in texts if not _is_network(text)]
    if wrong:
        raise ValueError(f"names {quoted(wrong)}, which is neither an address nor a network")
    return texts


def host_names(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of hosts, in small letters and without the dot of the root."""
    wrong = [text for text in texts if not host_of(text) or ":" in text]
    if wrong:
        raise ValueError(
            f"names {quoted(wrong)}, which is no name of a host alone, such as metrics.example.com"
        )
    return tuple(text.lower().removesuffix(".") for text in texts)


def read_scope(text: str) -> str:
    """Return the scope with which the profile is read, which must not be one that lets somebody write."""
    if _WRITES.search(text.rpartition("/")[2]):
        raise ValueError(
            "lets its holder write: the gateway only reads from Graph, and what writes is the resource API's"
        )
    return one_scope(text)


def one_scope(text: str) -> str:
    """Return one scope (RFC 6749, section 3.3)."""
    if re.search(r"[\s,;]", text):
        raise ValueError("has another form than that of one scope")
    if not _SCOPE.fullmatch(text):
        raise ValueError("has another form than a scope's")
    return text


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


# What a flow rests on, what other settings say, and what would replace both.
_RESERVED: Final = frozenset(
    {
        *(
            "client_id",
            "client_secret",
            "response_type",
            "response_mode",
            "redirect_uri",
            "scope",
            "state",
            "nonce",
        ),
        *("code_challenge", "code_challenge_method", "claims", "acr_values", "max_age", "login_hint"),
        *("prompt", "request", "request_uri", "registration", "client_info", "id_token_hint"),
    }
)


def scopes(value: object) -> tuple[str, ...]:
    """Return names of scopes (RFC 6749, section 3.3), with commas or, as in requests, with blanks between them."""
    names = tuple(str(value).replace(",", " ").split())
    if wrong := next((name for name in names if not _SCOPE.fullmatch(name)), None):
        raise ValueError(f"names {wrong!r}, which is no scope")
    return names


def authorize_parameters(text: str) -> str:
    """Return a query of parameters that may be added to an authorization request."""
    try:
        names = [name for name, _ in parse_qsl(text, strict_parsing=True, keep_blank_values=True)]
    except ValueError:
        raise ValueError("is no query such as a=b&c=d") from None
    if taken := next((name for name in names if name in _RESERVED or names.count(name) > 1), None):
        reason = "is there twice" if taken not in _RESERVED else "is ours to set"
        raise ValueError(f"holds {taken!r}, which {reason}")
    return text
