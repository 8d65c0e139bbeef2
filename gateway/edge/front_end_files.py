"""The files of a front end that is not ours: `GATEWAY_FRONT_END`, served as they lie.

Owns which requests get a file, which get the front end's page because its own router knows the address (history
fallback), which get its `404.html`, and what of the files is held in memory.
Never answers for what the gateway answers itself, and never holds more than `MOST_HELD` bytes: what is large, or gets
no smaller by compression, is sent from the disk, in ranges where a player asks for them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.typedefs import Handler

from gateway.edge.file_folder import (
    INDEX,
    RESERVED,
    WELL_KNOWN,
    FileFolder,
    FoundFile,
    FoundFolder,
    parts_of,
)
from gateway.edge.file_types import file_type
from gateway.edge.guard import RequestKind, Route
from gateway.edge.held_file import ASKED_AGAIN, LARGEST_HELD, Compressor, HeldFile
from gateway.edge.meant_pages import change_password_row, lead_to

MOST_HELD: Final = 64 * 1024 * 1024
_NOT_FOUND: Final = "404.html"
_WHATEVER_IS_LEFT: Final = f"/{{path:(?!(?:{'|'.join(RESERVED)})(?:/|$)).+}}"
# By what an address without a file is a page or not.
_VARIES: Final = f"{hdrs.ACCEPT}, Sec-Fetch-Dest"
_ANY_TYPE: Final = ("text/html", "text/*", "*/*")


class _SentFile(web.FileResponse):
    """A file from the disk, whose reader may leave: over TLS asyncio trips over that, and it is no fault of ours."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the file; raises ConnectionResetError where the reader has left."""
        try:
            return await super().prepare(request)
        except AttributeError as error:
            # asyncio/sslproto.py gives the connection back to its protocol after it is lost.
            if error.name != "_set_app_protocol":
                raise
            raise ConnectionResetError("the reader has left") from None


class FrontEndFiles:
    """The front end in the folder `root`, as it is now; `held_bytes` of it lie in memory, `most_held` at most.

    `beside` answers at addresses of which the folder has no file of its own.
    """

    def __init__(
        self, root: Path, *, most_held: int = MOST_HELD, beside: Mapping[str, Handler] | None = None
    ) -> None:
        self._folder = FileFolder(root)
        self._beside = beside or {}
        self._most_held = most_held
        self._compressor = Compressor()
        self.held_bytes = 0
        self._held: OrderedDict[str, tuple[tuple[int, int, int], HeldFile]] = OrderedDict()
        self._reading: dict[FoundFile, asyncio.Task[HeldFile | None]] = {}

    def routes(self, *, change_password_url: str | None = None) -> list[Route]:
        """Return the rows of everything that no other row answers."""
        rows = [
            Route(hdrs.METH_GET, path, self._answer, RequestKind.PUBLIC) for path in ("/", _WHATEVER_IS_LEFT)
        ]
        return [change_password_row(change_password_url), *rows] if change_password_url else rows

    def lost(self, _request: web.Request) -> web.Response | None:
        """Return nothing: whoever is lost among pages got the front end's own answer already."""
        return None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        parts = parts_of(request.rel_url.raw_path)
        found = await asyncio.to_thread(self._folder.find, parts) if parts else None
        if isinstance(found, FoundFolder):
            return lead_to(request, found.address)
        if found and (answer := await self._file(request, found)):
            return answer
        if beside := self._beside.get(request.path):
            return await beside(request)
        is_page = _is_page_wanted(request)
        if parts and is_page and _is_the_front_ends(parts):
            if page := await self._page(request, INDEX, 200):
                return page
        elif is_page and (page := await self._page(request, _NOT_FOUND, 404)):
            return page
        raise web.HTTPNotFound

    async def _file(self, request: web.Request, found: FoundFile) -> web.StreamResponse | None:
        kind = file_type(found.path)
        if kind.compresses and found.size <= LARGEST_HELD and hdrs.RANGE not in request.headers:
            held = await self._hold(found, kind.content_type)
            return held.answer(request) if held else None
        headers: dict[str, str] = {
            hdrs.CONTENT_TYPE: kind.content_type,
            hdrs.CACHE_CONTROL: ASKED_AGAIN,
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
        }
        if _is_piece_of_another(request, found):
            return await asyncio.to_thread(_whole, found, headers)
        return _SentFile(found.path, headers=headers)

    async def _page(self, request: web.Request, name: str, status: int) -> web.Response | None:
        found = await asyncio.to_thread(self._folder.find, [name])
        held = await self._hold(found, file_type(name).content_type) if isinstance(found, FoundFile) else None
        return held.answer(request, status=status, varies=_VARIES) if held else None

    async def _hold(self, found: FoundFile, content_type: str) -> HeldFile | None:
        """Return a file from memory, read once for all who ask meanwhile; None where it is gone."""
        state, held = self._held.get(found.path, (None, None))
        if held and state == found.state:
            self._held.move_to_end(found.path)
            return held
        reading = self._reading.get(found)
        if reading is None:
            reading = asyncio.create_task(self._read(found, content_type))
            self._reading[found] = reading
            reading.add_done_callback(lambda _: self._reading.pop(found, None))
        # Whoever leaves takes nobody else's file along.
        return await asyncio.shield(reading)

    async def _read(self, found: FoundFile, content_type: str) -> HeldFile | None:
        held = await asyncio.to_thread(_read_file, found, content_type)
        if held:
            self._forget(found.path)
            self._held[found.path] = (found.state, held)
            self.held_bytes += len(held)
            while self.held_bytes > self._most_held:
                self._forget(next(iter(self._held)))
            self._compressor.take(held)
        return held

    def _forget(self, path: str) -> None:
        if path in self._held:
            self.held_bytes -= len(self._held.pop(path)[1])


def _read_file(found: FoundFile, content_type: str) -> HeldFile | None:
    try:
        with Path(found.path).open("rb") as file:
            content = file.read(LARGEST_HELD + 1)
    except OSError:
        return None
    # One that grew since is found as it is by whoever asks next.
    return HeldFile(content, content_type) if len(content) <= LARGEST_HELD else None


def _is_piece_of_another(request: web.Request, found: FoundFile) -> bool:
    """Tell whether a request for a piece needs the whole file: it has another one, or wants several pieces.

    aiohttp compares `If-Range` with a date alone, and a tag in it would count for nothing (RFC 9110, section 13.1.5).
    """
    condition = request.headers.get(hdrs.IF_RANGE, "")
    is_another = condition.startswith(('"', "W/")) and condition != found.tag
    return hdrs.RANGE in request.headers and (is_another or "," in request.headers[hdrs.RANGE])


def _whole(found: FoundFile, headers: Mapping[str, str]) -> web.Response | None:
    try:
        file = Path(found.path).open("rb")  # noqa: SIM115 - the response closes it
    except OSError:
        return None
    return web.Response(body=file, headers={**headers, hdrs.ETAG: found.tag})


def _is_page_wanted(request: web.Request) -> bool:
    """Tell whether somebody wants to see a page: a browser says it, and whoever takes any type may be somebody."""
    destination = request.headers.get("Sec-Fetch-Dest")
    if destination is not None:
        return destination == "document"
    accept = request.headers.get(hdrs.ACCEPT, "*/*").lower()
    return any(kind in accept for kind in _ANY_TYPE)


def _is_the_front_ends(parts: list[str]) -> bool:
    """Tell whether the front end's own router may know an address: it names no file, and nothing of the gateway's."""
    name = next(filter(None, reversed(parts)), "")
    return "." not in name and parts[0].lower() not in {*RESERVED, WELL_KNOWN}
