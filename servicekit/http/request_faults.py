"""What RFC 9112 forbids in the head of a request, and a parser lets through.

Owns the judgement on the version, the framing, the target and the host. aiohttp has two parsers, one compiled and one
of Python; each lets through what the other refuses, and what two readers read in two ways is how requests are smuggled.
Never looks at a body, and never says what the answer is but that there is one fault.
"""

import re
from typing import Final

from aiohttp import HttpVersion11, hdrs
from aiohttp.http_parser import RawRequestMessage

from servicekit.http.host_field import host_of

_VERSIONS: Final = frozenset({(1, 0), (1, 1)})
# A number that every reader can hold; a body is refused as too large long before.
_LONGEST_LENGTH: Final = 15
_ABSOLUTE: Final = re.compile(r"https?://([^/?]*)", re.IGNORECASE)
# What a target is made of (RFC 9112, section 3.2): visible letters of ASCII, and no fragment.
_TARGET: Final = re.compile(r"[!-\"$-~]+")


class RequestFault(ValueError):
    """A request that is refused for its head; the text says why, in words of ours alone."""

    is_of_head = False
    """Whether the method is HEAD, and so the answer has no body."""


def fault_in(message: RawRequestMessage) -> RequestFault | None:
    """Return what is wrong with the head of a request, or None.

    Not checked: what both parsers refuse by themselves, such as two lengths, a length beside chunks, lines that are
    folded or end in a bare LF, names of fields with a space, a request of HTTP/1.1 without `Host` or with two.
    """
    headers = message.headers
    if (
        message.version is HttpVersion11
        and message.path.startswith("/")
        and _TARGET.fullmatch(message.path)
        and message.method != hdrs.METH_CONNECT
        and hdrs.TRANSFER_ENCODING not in headers
        and hdrs.CONTENT_LENGTH not in headers
        and host_of(headers.get(hdrs.HOST, "/"))
    ):
        return None  # nearly every request: nothing of what follows has anything to say
    has_framing = hdrs.TRANSFER_ENCODING in headers or hdrs.CONTENT_LENGTH in headers
    fault = (
        _fault_of_version(message)
        or (_fault_of_framing(message) if has_framing else None)
        or _fault_of_target(message)
    )
    if fault:
        fault.is_of_head = message.method == hdrs.METH_HEAD
    return fault


def _fault_of_version(message: RawRequestMessage) -> RequestFault | None:
    return (
        None
        if message.version == (1, 1) or message.version in _VERSIONS
        else RequestFault("the version is neither 1.0 nor 1.1")
    )


def _fault_of_framing(message: RawRequestMessage) -> RequestFault | None:
    """Judge what says where the request ends (RFC 9112, section 6)."""
    codings = message.headers.getall(hdrs.TRANSFER_ENCODING, [])
    if codings:
        if message.version == (1, 0):
            return RequestFault("a transfer coding in HTTP/1.0")
        if [coding.strip(" \t").lower() for coding in codings] != ["chunked"]:
            return RequestFault("a transfer coding that is not chunked alone")
    if len(message.headers.get(hdrs.CONTENT_LENGTH, "")) > _LONGEST_LENGTH:
        return RequestFault("a length that nobody can count")
    return None


def _fault_of_target(message: RawRequestMessage) -> RequestFault | None:
    """Judge the target and the host, which must be one and the same where the target names one, too."""
    field = message.headers.get(hdrs.HOST)
    host = None if field is None else host_of(field)
    if field is not None and host is None:
        return RequestFault("a Host that is no host")
    if message.method == hdrs.METH_CONNECT or not _TARGET.fullmatch(message.path):
        return RequestFault("a target that is none")
    if message.path.startswith("/"):
        return None
    if absolute := _ABSOLUTE.match(message.path):
        named = host_of(absolute[1])
        if not named or host not in {None, named}:
            return RequestFault("a target of another host than Host")
    elif (message.method, message.path) != (hdrs.METH_OPTIONS, "*"):
        return RequestFault("a target that is no path")
    return None
