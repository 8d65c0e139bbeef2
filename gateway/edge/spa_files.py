"""The single-page client's files, served as they lie.

Owns which addresses are pages, which are files, how they travel (compressed where the browser takes it, and not at all
while it has them), and the page that an unknown address gets.
Never serves a path that was not there at start: there is no path to traverse.
"""

import gzip
import hashlib
import mimetypes
import re
from pathlib import Path
from typing import Final

from aiohttp import ETag, hdrs, web
from aiohttp.typedefs import Handler

from gateway.edge.guard import RequestKind, Route
from gateway.edge.meant_pages import meant_page, meant_rows

PAGES: Final = ("/", "/edit", "/confirm", "/check", "/sign-in-details", "/sessions", "/activity", "/problem")
_TYPES: Final = frozenset({".js", ".css", ".svg", ".html", ".json", ".webmanifest", ".txt"})
_TEXT_OF_XML: Final = "image/svg+xml"
# As a whole word, and not with a weight of nothing (RFC 9110, section 12.5.3); possessive, so never slow.
_TAKES_GZIP: Final = re.compile(
    r"(?:^|,)\s*+gzip\s*+(?!;\s*+q=0(?:\.0*+)?\s*+(?:,|$))(?=;|,|$)", re.IGNORECASE
)


class _File:
    """One file, held in memory in both forms, and read again when a developer changes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = -1
        self.plain = self.packed = b""
        self.tag = ""
        self.content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self.current()

    def current(self) -> "_File":
        """Return the file as it is now."""
        changed = self._path.stat().st_mtime_ns
        if changed != self._changed:
            self.plain = self._path.read_bytes()
            self.packed = gzip.compress(self.plain, mtime=0)
            self.tag = hashlib.sha256(self.plain).hexdigest()[:32]
            self._changed = changed
        return self


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

    def meant(self, path: str) -> str | None:
        """Return the page that somebody means by an address that does not exist; None where nothing is known."""
        return meant_page(path, PAGES)

    def not_found(self) -> web.Response:
        """Return the client's page with status 404; the client says that there is no such page."""
        return web.Response(
            body=self._index.current().plain, status=404, content_type="text/html", charset="utf-8"
        )


def _sender(file: _File) -> Handler:
    async def send(request: web.Request) -> web.Response:
        held = file.current()
        # Asked again every time, answered 304 while nothing changed: no deployment leaves an old client behind.
        headers = {hdrs.CACHE_CONTROL: "no-cache", hdrs.VARY: hdrs.ACCEPT_ENCODING}
        tags = request.if_none_match or ()
        if any(tag.value in {held.tag, hdrs.METH_ANY} for tag in tags):
            response = web.Response(status=304, headers=headers)
        else:
            packed = _TAKES_GZIP.search(request.headers.get(hdrs.ACCEPT_ENCODING, "")) is not None
            if packed:
                headers[hdrs.CONTENT_ENCODING] = "gzip"
            response = web.Response(
                body=held.packed if packed else held.plain,
                headers=headers,
                content_type=held.content_type,
                charset=None if held.content_type == _TEXT_OF_XML else "utf-8",
            )
        # Weak: the two forms of a file are one content in different clothes (RFC 9110, section 8.8.3).
        response.etag = ETag(held.tag, is_weak=True)
        return response

    return send
