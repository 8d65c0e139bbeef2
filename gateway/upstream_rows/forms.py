"""What one member of a row must be like.

Owns these forms: each function returns what it is given, or a tidier form of it, and raises ValueError with a phrase
that goes on from "which".
Never looks at two members together, and never shows a secret.
"""

import re
from collections.abc import Callable
from typing import Final

from gateway.setting_forms import one_scope
from gateway.upstream_rows import headers
from servicekit.setting_forms import quoted
from servicekit.setting_names import near_name
from servicekit.web_address import read_web_address

OWN_PATHS: Final = (
    *("/api/activity", "/api/openapi.json", "/api/parked", "/api/parked-edits"),
    *("/api/profile", "/api/session", "/api/sessions"),
)
"""What the gateway answers itself below /api/, by the first segments; all that lies below them is kept for it too."""
RESERVED_NAMES: Final = frozenset(
    {
        # Resources, circuit breakers, and what `upstream` says of the gateway's own.
        *("graph", "edit", "profile", "resource-api", "redis", "token-endpoint", "authority", "gateway"),
        *("session", "sessions", "parked", "unknown"),
    }
)
"""Names that the gateway uses itself: in metrics, in the log, in problems and in a session's records."""
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_ROOT: Final = "/api/"
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_LONGEST_PATH: Final = 256
_MOST_HEADERS: Final = 64
# RFC 3986, section 2.3: what nobody encodes, so that one address has one spelling.
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~-]+")
_DOTS: Final = frozenset({".", ".."})
_SIGN_IN_SCOPES: Final = frozenset({"openid", "profile", "email", "offline_access", "address", "phone"})
# Methods that are none of a row's business, with the reason.
_OTHERS: Final = {
    "OPTIONS": "which browsers ask before another site's page may call: the gateway answers it",
    "CONNECT": "which opens a tunnel to anywhere",
    "TRACE": "which sends back what was never meant for the browser",
}


def name(text: str) -> str:
    """Return the name of a row."""
    if not _NAME.fullmatch(text):
        raise ValueError("has another form than small letters, digits and hyphens, at most 32")
    if text in RESERVED_NAMES:
        raise ValueError("is a name that the gateway uses itself")
    return text


def prefix(text: str) -> str:
    """Return the path of ours below which everything goes to an upstream."""
    _path_of_ours(text)
    for own in OWN_PATHS:
        if _is_within(text, own):
            where = "is" if text.lower() == own else "lies below"
            raise ValueError(f"{where} {own}, which the gateway answers itself")
        if _is_within(own, text):
            raise ValueError(f"lies above {own}, which the gateway answers itself")
    return text


def reads(text: str) -> str:
    """Return the path of ours by which a resource is read."""
    _path_of_ours(text)
    return text


def target(text: str) -> str:
    """Return the address that takes the prefix's place, in normal form and without a slash at its end."""
    return str(read_web_address(text)).rstrip("/")


def methods(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the methods of a row, each once."""
    if not texts:
        raise ValueError("names none, so that nothing would ever go through")
    for method in texts:
        if method.upper() in _OTHERS:
            raise ValueError(f"names {method.upper()}, {_OTHERS[method.upper()]}")
        if method not in METHODS:
            hint = f": write {method.upper()}" if method.upper() in METHODS else ""
            raise ValueError(f"names {quoted([method])}, which is none of {', '.join(METHODS)}{hint}")
    if doubled := [method for method in METHODS if texts.count(method) > 1]:
        raise ValueError(f"names {doubled[0]} twice")
    return texts


def scope(text: str) -> str:
    """Return the one scope of the token that is attached."""
    one_scope(text)
    if text.lower() in _SIGN_IN_SCOPES:
        raise ValueError("is a scope of signing in: it names no API, and no token for one comes of it")
    return text


def request_headers(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of header fields that may go out beyond the safe ones, in small letters."""
    return _header_names(texts, headers.never_goes_out, "never goes to an upstream")


def response_headers(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of header fields that may come in beyond the safe ones, in small letters."""
    return _header_names(texts, headers.never_comes_in, "never goes to a browser")


def _header_names(texts: tuple[str, ...], never: Callable[[str], bool], why: str) -> tuple[str, ...]:
    if len(texts) > _MOST_HEADERS:
        raise ValueError(f"names more than {_MOST_HEADERS}")
    if not all(map(headers.is_name, texts)):
        raise ValueError("names what is no name of a header field: a name alone, and no value")
    if forbidden := [text for text in texts if never(text)]:
        raise ValueError(f"names {quoted(forbidden)}, which {why}")
    if folded := [text for text in texts if headers.is_another_spelling(text)]:
        raise ValueError(f"names {quoted(folded)}, which some servers take for the name with hyphens")
    names = tuple(text.lower() for text in texts)
    if doubled := [one for one in names if names.count(one) > 1]:
        raise ValueError(f"names {quoted(doubled[:1])} twice")
    return names


def _path_of_ours(text: str) -> None:
    if "?" in text or "#" in text:
        raise ValueError("has a query or a fragment, and is to be a path alone")
    if "%" in text or "\\" in text:
        raise ValueError("holds a percent sign or a backslash")
    if "{" in text or "*" in text:
        raise ValueError("has a place for anything: all that lies below a path belongs to it anyway")
    if not text.startswith(_ROOT):
        raise ValueError(f"is not below {_ROOT}")
    if text.endswith("/"):
        raise ValueError(
            "ends with a slash" if text != _ROOT else f"is {_ROOT} itself, and is to be below it"
        )
    segments = text.removeprefix(_ROOT).split("/")
    if "" in segments:
        raise ValueError("has an empty segment, two slashes in a row")
    if _DOTS & set(segments):
        raise ValueError("has dots for a segment")
    if not all(map(_SEGMENT.fullmatch, segments)) or len(text) > _LONGEST_PATH:
        raise ValueError(
            f"has characters beside letters, digits, '.', '_', '~' and '-', or more than {_LONGEST_PATH}"
        )


def _is_within(path: str, other: str) -> bool:
    """Tell whether a path is another one or lies below it; in letters of either case, for proxies that fold them."""
    path, other = path.lower(), other.lower()
    return path == other or path.startswith(f"{other}/")


# What other gateways, and people, call a member.
_CALLED_ELSEWHERE: Final = {
    **dict.fromkeys(("id", "upstream", "service"), "name"),
    **dict.fromkeys(("path", "route", "location", "match"), "prefix"),
    **dict.fromkeys(("url", "uri", "address", "upstream_url", "proxy_pass", "rewrite_target"), "target"),
    **dict.fromkeys(("audience", "resource", "token"), "scope"),
    **dict.fromkeys(("public", "allow_anonymous"), "anonymous"),
    **dict.fromkeys(("ws", "websockets", "proxy_web_sockets", "upgrade"), "websocket"),
    **dict.fromkeys(("insecure", "allow_insecure", "plain_http"), "allow_http"),
    **dict.fromkeys(("headers",), "request_headers"),
}


def meant_member(text: str, members: list[str]) -> str | None:
    """Return the member of a row that was probably meant by a name that is none."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).replace("-", "_").lower()
    if snake in members:
        return snake
    return _CALLED_ELSEWHERE.get(snake) or near_name(snake, members)
