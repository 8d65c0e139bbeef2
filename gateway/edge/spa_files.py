"""The single-page client's files, served as they lie.

Owns which addresses are pages, which are files, how they travel (compressed where the browser takes it, and not at all
while it has them), and the page that an unknown address gets.
Never serves a path that was not there at start: there is no path to traverse.
"""

import mimetypes
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.edge.guard import RequestKind, Route
from gateway.edge.held_file import HeldFile
from gateway.edge.meant_pages import lead_to, meant_page, meant_rows

PAGES: Final = ("/", "/edit", "/confirm", "/check", "/sign-in-details", "/sessions", "/activity", "/problem")
_TYPES: Final = frozenset({".js", ".css", ".svg", ".html", ".json", ".webmanifest", ".txt"})
_CLIENT: Final = "/client.js"
_TEXT_OF_XML: Final = "image/svg+xml"


class _File:
    """One file, held in memory in both forms, and read again when a developer changes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = -1
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self._content_type = kind if kind == _TEXT_OF_XML else f"{kind}; charset=utf-8"
        self._held = self.current()

    def current(self) -> HeldFile:
        """Return the file as it is now."""
        changed = self._path.stat().st_mtime_ns
        if changed != self._changed:
            self._held = HeldFile.of(self._path.read_bytes(), self._content_type)
            self._changed = changed
        return self._held


class SpaFiles:
    """The files below `root`, as they are now; several applications may share them."""

    def __init__(self, root: Path) -> None:
        self._index = _File(root / "index.html")
        self._files = {
            f"/{path.relative_to(root).as_posix()}": _File(path)
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.suffix in _TYPES
        }

    def routes(self, *, change_password_url: str | None = None) -> list[Route]:
        """Return a row for every page and file, and for the addresses that people type instead."""
        served = {**self._files, **dict.fromkeys(PAGES, self._index)}
        own = [Route(hdrs.METH_GET, path, _sender(file), RequestKind.PUBLIC) for path, file in served.items()]
        return own + [row for row in meant_rows(PAGES, change_password_url) if row.path not in served]

    def lost(self, request: web.Request) -> web.Response:
        """Return where a person is led who asks for an address that does not exist: what is meant by it, if known.

        Else it is the client's page with status 404; the client says that there is no such page.
        """
        meant = meant_page(request.path, PAGES)
        if meant:
            return lead_to(request, meant)
        return web.Response(
            body=self._index.current().plain, status=404, content_type="text/html", charset="utf-8"
        )


def client_for_front_ends(root: Path) -> dict[str, Handler]:
    """Return what answers at `/client.js`, by which every front end may speak to the gateway, ours or not."""
    return {_CLIENT: _sender(_File(root / _CLIENT[1:]))}


def _sender(file: _File) -> Handler:
    async def send(request: web.Request) -> web.Response:
        return file.current().answer(request)

    return send
