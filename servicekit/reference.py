"""One id for one request, from the browser to whomever we ask because of it, and into every line about it.

Owns the id itself (a UUID, which Graph and Entra take as `client-request-id`), the reference that people quote (its
first forty bits, in letters that can be told on the telephone), and which request this code works for: a context
variable, so that tasks and threads which a request begins say whose they are.
Never trusts an id that came in for anything: it is a label, and in one spelling only.

Sources: Microsoft Graph, "Best practices" (`client-request-id`); Crockford's Base32, without I, L, O and U.
"""

import uuid
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Self

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HEADER: Final = "client-request-id"
FORM: Final = "[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}"
"""What a reference looks like, as a regular expression that JavaScript and JSON Schema read too."""

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Five bits a letter, from the first of a UUID's 128; the 48th is the first that is not random (RFC 9562, section 5.4).
_SHIFTS: Final = range(123, 87, -5)
_RANDOM: Final = 4


@dataclass(frozen=True, slots=True)
class RequestId:
    """The id of one request: `text` for programs, `reference` for people; whoever has the one can tell the other."""

    text: str
    reference: str

    @classmethod
    def new(cls) -> Self:
        """Return one that nobody had before."""
        return cls.of(uuid.uuid4())

    @classmethod
    def of(cls, value: uuid.UUID) -> Self:
        """Return that of a UUID."""
        letters = "".join(_LETTERS[value.int >> shift & 31] for shift in _SHIFTS)
        return cls(str(value), f"{letters[:4]}-{letters[4:]}")

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the id that a header names; None where it is no random UUID (version 4) in the plain spelling.

        Of other versions the first bits are the time or nothing at all, and many requests would have one reference.
        """
        try:
            value = uuid.UUID(text)
        except ValueError:
            return None
        # UUID() also reads braces and urn: forms.
        is_plain = str(value) == text.lower()
        return cls.of(value) if is_plain and value.version == _RANDOM else None


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
    if _REQUEST_ID not in request:
        request[_REQUEST_ID] = RequestId.new()
    return request[_REQUEST_ID]


def reference_of(request: web.BaseRequest) -> str:
    """Return the reference that a person quotes: the same in the answer and in every line about the request."""
    return request_id_of(request).reference


def reference_middleware(*, takes_callers: bool = False) -> Middleware:
    """Return the outermost middleware, from which on everything is known to be about this request.

    `takes_callers` is for a service behind another one of ours: the caller's id is taken where it names one. A stranger
    could choose it there, and would have lines of his own under a reference of somebody else's; no more depends on it.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if takes_callers and (given := RequestId.read(request.headers.get(HEADER, ""))):
            request[_REQUEST_ID] = given
        # Never reset: aiohttp gives each request a task of its own, whose last act is the line of the access log.
        _CURRENT.set(request_id_of(request))
        return await handler(request)

    return middleware


async def tell_request_id(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Send the id back; for `on_response_prepare`."""
    response.headers[HEADER] = request_id_of(request).text
