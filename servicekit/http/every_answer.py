"""The headers of every answer of a service, whoever makes it.

Owns the constant headers, the date and the id that each answer has, and the two ways in which they come to it: packed
ahead for an answer that goes out in one piece (`answers.py`), by aiohttp's signal for streams and files. Both say the
same, as both ask one object.
Never knows a route, never says which headers are constant, and never overrules what an answer says of itself.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from aiohttp import hdrs, web
from aiohttp.helpers import rfc822_formatted_time
from multidict import CIMultiDict

from servicekit.reference import HEADER, request_id_of

Completion = Callable[[web.Request, CIMultiDict[str]], None]
"""What adds headers that depend on who asks."""

_CSP: Final = "Content-Security-Policy"
# Of an answer with a policy of its own, which says who may frame and load it.
_LEFT_TO_ITS_POLICY: Final = frozenset({"X-Frame-Options", "Cross-Origin-Resource-Policy"})
# What nearly all answers have of their own, and nothing of which is constant.
_USUAL: Final = frozenset({hdrs.CONTENT_TYPE, hdrs.CONTENT_LENGTH, hdrs.ETAG}).union(
    # As upstreams write them, and aiohttp's parser: any other spelling takes the longer way.
    ("content-type", "etag", "Etag")
)
_NO_STORE: Final[dict[str, str]] = {hdrs.CACHE_CONTROL: "no-store"}
_APART_SECONDS: Final = 2


class AnswerHeaders:
    """Completes answers by `constant` headers, and by those that change: date, id, and what `completion` adds.

    Whoever reads an answer counts from its `Date` (RFC 9110, section 6.6.1) to the moments that its body names. Those
    are of `dated_by`, and so is the `Date` wherever this machine's clock, `now`, says otherwise (both in seconds since
    1970).
    """

    def __init__(
        self,
        constant: Mapping[str, str],
        *,
        now: Callable[[], float] = time.time,
        dated_by: Callable[[], float] = time.time,
        completion: Completion | None = None,
    ) -> None:
        self._constant: dict[str, str] = {**constant, **_NO_STORE}
        self._lines = {
            name.lower(): f"{name}: {value}\r\n".encode() for name, value in self._constant.items()
        }
        self._packed = b"".join(self._lines.values())
        self._now = now
        self._dated_by = dated_by
        self._completion = completion
        self._usual = b""
        self._usual_at = (0, 0)

    def usual_lines(self) -> bytes | None:
        """Return the lines of an answer with nothing of its own, up to the value of its id; packed once a second."""
        return None if self._completion else self._dated()

    def _dated(self) -> bytes:
        at = (int(self._now()), int(self._dated_by()))
        if at != self._usual_at:
            date = self._date() or rfc822_formatted_time()
            self._usual = self._packed + f"Date: {date}\r\n{HEADER}: ".encode()
            self._usual_at = at
        return self._usual

    def lines(self, request: web.Request, own: CIMultiDict[str]) -> bytes:
        """Return the header lines that an answer has beside its `own`."""
        if self._completion:
            self._complete(request, own)
            own.popall(hdrs.SERVER, None)
            return b""
        names = set(own)
        if names <= _USUAL:
            return b"%b%b\r\n" % (self._dated(), request_id_of(request).text.encode())
        packed = self._beside({name.lower() for name in names}, own)
        if date := self._date():
            own.popall(hdrs.DATE, None)
        elif hdrs.DATE not in names:
            date = rfc822_formatted_time()
        dated = f"Date: {date}\r\n" if date else ""
        return packed + f"{dated}{HEADER}: {request_id_of(request).text}\r\n".encode()

    def _beside(self, names: set[str], own: CIMultiDict[str]) -> bytes:
        """Return the constant lines beside an answer's own headers of these names."""
        if "server" in names:
            own.popall(hdrs.SERVER)
        if _CSP.lower() in names:
            names |= {name.lower() for name in _LEFT_TO_ITS_POLICY}
        return b"".join([line for name, line in self._lines.items() if name not in names])

    async def on_prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """Complete an answer that aiohttp sends; for `on_response_prepare`."""
        headers = response.headers
        self._complete(request, headers)
        headers.popall(hdrs.SERVER, None)  # aiohttp's name and version

    def _complete(self, request: web.Request, headers: CIMultiDict[str]) -> None:
        own_policy = _CSP in headers
        for name, value in self._constant.items():
            if not (own_policy and name in _LEFT_TO_ITS_POLICY):
                headers.setdefault(name, value)
        if date := self._date():
            headers[hdrs.DATE] = date
        else:
            headers.setdefault(hdrs.DATE, rfc822_formatted_time())
        headers[HEADER] = request_id_of(request).text
        if self._completion:
            self._completion(request, headers)

    def _date(self) -> str:
        """Return the date by the clock that answers tell, where ours says another one."""
        moment = self._dated_by()
        if abs(moment - self._now()) <= _APART_SECONDS:
            return ""
        return format_datetime(datetime.fromtimestamp(moment, UTC), usegmt=True)
