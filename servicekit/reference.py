"""One id for one request, from the browser to whomever we ask because of it, and into every line about it.

Owns the id itself (a UUID, which Graph and Entra take as `client-request-id`), the reference that people quote (its
first forty bits, in letters that can be told on the telephone), and which request this code works for: a context
variable, so that tasks and threads which a request begins say whose they are.
Never trusts an id that came in for anything: it is a label, and in one spelling only.

Sources: Microsoft Graph, "Best practices" (`client-request-id`); Crockford's Base32, without I, L, O and U.
"""

import os
import re
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Self

from aiohttp import web

HEADER: Final = "client-request-id"
FORM: Final = "[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}"
"""What a reference looks like, as a regular expression that JavaScript and JSON Schema read too."""

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Five bits a letter, of a UUID's first 40; the 48th is the first that is not random (RFC 9562, section 5.4).
# Two letters at once: each line of the log has a reference.
_PAIRS: Final = [first + second for first in _LETTERS for second in _LETTERS]
_LAST: Final = len(_PAIRS) - 1
_RANDOM_UUID: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_FORM_OF_AN_ID: Final = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"
_DIGITS_OF_AN_ID: Final = 31
"""As many as are random, whole or in part: those at `x`, and that of the variant at `y`."""
_VARIANT: Final = bytes.maketrans(b"0123456789abcdef", b"89ab" * 4)
_IDS_AT_ONCE: Final = 128


@dataclass(slots=True, unsafe_hash=True)
class RequestId:
    """The id of one request: `text` for programs, `reference` for people; whoever has the one can tell the other.

    Nobody changes it. It is not frozen only because each request has one, and Python makes such ones three times as
    slowly.
    """

    text: str
    _reference: str = field(default="", init=False, compare=False, repr=False)

    @classmethod
    def new(cls) -> Self:
        """Return one that nobody had before."""
        if not _texts:
            _texts.extend(_random_texts())
        return cls(_texts.pop())

    @property
    def reference(self) -> str:
        """The beginning of the id, as people read and spell it."""
        if not self._reference:  # each line about the request has it
            self._reference = self._spelled()
        return self._reference

    def _spelled(self) -> str:
        bits = int(self.text[:8] + self.text[9:11], 16)
        first, last = (
            _PAIRS[bits >> 30] + _PAIRS[bits >> 20 & _LAST],
            _PAIRS[bits >> 10 & _LAST] + _PAIRS[bits & _LAST],
        )
        return f"{first}-{last}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the id that a header names; None where it is no random UUID (version 4) in the plain spelling.

        Of other versions the first bits are the time or nothing at all, and many requests would have one reference.
        """
        plain = text.lower()
        return cls(plain) if _RANDOM_UUID.fullmatch(plain) else None


_texts: list[str] = []
"""Ids that nobody had yet."""


def _random_texts() -> list[str]:
    """Return ids of 128 random bits; the system is asked for those of many at once.

    They are UUIDs of version 4 (RFC 9562, section 5.4), written without making one: each request has an id.
    """
    digits = os.urandom(_IDS_AT_ONCE * _DIGITS_OF_AN_ID // 2).hex().encode()
    texts = bytearray(_FORM_OF_AN_ID.encode() * _IDS_AT_ONCE)
    random_places = [place for place, letter in enumerate(_FORM_OF_AN_ID) if letter in "xy"]
    for column, place in enumerate(random_places):
        # One place of all the ids at once.
        texts[place :: len(_FORM_OF_AN_ID)] = digits[column::_DIGITS_OF_AN_ID].translate(
            _VARIANT if _FORM_OF_AN_ID[place] == "y" else None
        )
    whole, length = texts.decode(), len(_FORM_OF_AN_ID)
    return [whole[at : at + length] for at in range(0, len(whole), length)]


if hasattr(os, "register_at_fork"):  # else parent and child would give two requests one id
    os.register_at_fork(after_in_child=_texts.clear)


_REQUEST_ID: Final = web.RequestKey("request_id", RequestId)
_CURRENT: ContextVar[RequestId | None] = ContextVar("request_id", default=None)


def current_request_id() -> RequestId | None:
    """Return the id of the request that this code works for; None outside of any."""
    return _CURRENT.get()


def current_reference() -> str:
    """Return the reference of the request that this code works for; nothing outside of any."""
    current = _CURRENT.get()
    return current.reference if current else ""


def request_id_header() -> dict[str, str]:
    """Return what a call to somebody else carries, so that their log names the request, too; nothing outside of any."""
    current = _CURRENT.get()
    return {HEADER: current.text} if current else {}


def request_id_of(request: web.BaseRequest) -> RequestId:
    """Return the request's id; one that no middleware has seen, as the parser refused it, gets one here."""
    try:  # not `get`, whose way through a Mapping is four times as long
        return request[_REQUEST_ID]
    except KeyError:
        known = request[_REQUEST_ID] = RequestId.new()
        return known


def reference_of(request: web.BaseRequest) -> str:
    """Return the reference that a person quotes: the same in the answer and in every line about the request."""
    return request_id_of(request).reference


def begin_request(request: web.BaseRequest, given: RequestId | None = None) -> None:
    """Give a request its id, and let everything from here on be known to be about it.

    Never reset: aiohttp gives each request a task of its own, whose last act is the line of the access log.
    """
    known = request[_REQUEST_ID] = given or RequestId.new()
    _CURRENT.set(known)
