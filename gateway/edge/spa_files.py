"""The single-page client's files: as they lie, and joined to a few below the address of their build.

Owns which addresses are pages, which are files, which of them a browser may keep for good, and the page that an unknown
address gets.
Never serves a path that was not there when the folder was read: there is no path to traverse. Never lets a browser keep
anything under the name of a build that it is not of.
"""

import os
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.edge.client_build import BUILD_NAME, INDEX, PREFIX, ClientBuild
from gateway.edge.file_types import file_type
from gateway.edge.guard import RequestKind, Route
from gateway.edge.held_file import NEVER_ASKED_AGAIN, Compressor, HeldFile
from gateway.edge.meant_pages import lead_to, meant_page, meant_rows

PAGES: Final = ("/", "/edit", "/confirm", "/check", "/sign-in-details", "/sessions", "/activity", "/problem")
_TYPES: Final = frozenset({".js", ".css", ".svg", ".html", ".json", ".webmanifest", ".txt"})
_CLIENT: Final = "/client.js"
_OF_BUILD: Final = f"{PREFIX}/{{build}}/{{path:.+}}"
# Loads a page again whose build is gone, and needs nothing of the build.
_LOADER: Final = "not-loaded.js"
# Of a developer who edits: pages that are open still ask for files of a build before.
_MOST_BUILDS: Final = 8

_State = tuple[int, int]


class SpaFiles:
    """The files below `root`, as they are now; several applications may share them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._state: dict[str, _State] = {}
        self._builds: OrderedDict[str, ClientBuild] = OrderedDict()
        self._compressor = Compressor()
        self._compressed = ""
        self.current()

    def current(self, *paths: str) -> ClientBuild:
        """Return the build of the folder as it is now, which is read again once one of `paths` has changed.

        Without any that is the whole folder. Raises OSError where there has never been a build.
        """
        try:
            if not self._is_same([str(self._root / path) for path in paths] or self._state):
                self._read()
        except OSError:
            # Somebody is exchanging files this moment: what was whole goes on.
            if not self._builds:
                raise
        return next(reversed(self._builds.values()))

    def routes(self, *, change_password_url: str | None = None) -> list[Route]:
        """Return a row for every page and file, and for the addresses that people type instead."""
        senders: dict[str, Handler] = {f"/{path}": self._sender(path) for path in self.current().files}
        senders |= dict.fromkeys(PAGES, self._send_page)
        senders[f"/{INDEX}"] = self._sender(INDEX)
        senders[_OF_BUILD] = self._send_of_build
        own = [Route(hdrs.METH_GET, path, sender, RequestKind.PUBLIC) for path, sender in senders.items()]
        return own + [row for row in meant_rows(PAGES, change_password_url) if row.path not in senders]

    def lost(self, request: web.Request) -> web.Response:
        """Return where a person is led who asks for an address that does not exist: what is meant by it, if known.

        Else it is the client's page with status 404; the client says that there is no such page.
        """
        meant = meant_page(request.path, PAGES)
        if meant:
            return lead_to(request, meant)
        return web.Response(
            body=self.current().page.plain, status=404, content_type="text/html", charset="utf-8"
        )

    def _is_same(self, paths: Iterable[str]) -> bool:
        try:
            return bool(self._state) and all(_state_of(path) == self._state.get(path) for path in paths)
        except OSError:
            return False

    def _read(self) -> None:
        # A folder changes where a file in it comes or goes.
        watched = [self._root, *sorted(self._root.rglob("*"))]
        # Taken before the contents: what changes meanwhile is seen at the next look.
        state = {str(path): _state_of(str(path)) for path in watched}
        contents = {
            path.relative_to(self._root).as_posix(): path.read_bytes()
            for path in watched
            if path.is_file() and path.suffix in _TYPES
        }
        if INDEX not in contents:
            raise FileNotFoundError(INDEX)
        before = next(reversed(self._builds.values()), None)
        build = ClientBuild.of(contents, like=before)
        self._state = state
        # One that comes back is the latest again.
        self._builds.pop(build.name, None)
        self._builds[build.name] = build
        while len(self._builds) > _MOST_BUILDS:
            self._builds.popitem(last=False)

    async def _send_page(self, request: web.Request) -> web.Response:
        build = self.current()
        if self._compressed != build.name:
            self._compressed = build.name
            self._compressor.take(build.page, *build.sent.values())
        return build.page.answer(request)

    async def _send_of_build(self, request: web.Request) -> web.Response:
        name = request.match_info["build"]
        if not BUILD_NAME.fullmatch(name):
            raise web.HTTPNotFound
        build = self._builds.get(name)
        if build is None and self.current().name == name:
            build = self.current()
        if build is None:
            return self._send_loader(request, name)
        if file := build.file_at(request.rel_url.raw_path):
            return file.answer(request, caching=NEVER_ASKED_AGAIN)
        raise web.HTTPNotFound

    def _send_loader(self, request: web.Request, name: str) -> web.Response:
        """Return what loads a page again whose build is unknown here; everything else of the build is not to be had."""
        loader = self.current().files.get(_LOADER)
        if loader and request.rel_url.raw_path == f"{PREFIX}/{name}/{_LOADER}":
            return loader.answer(request, caching="no-store")
        raise web.HTTPNotFound

    def _sender(self, path: str) -> Handler:
        async def send(request: web.Request) -> web.Response:
            build = self.current(path)
            file = build.index if path == INDEX else build.files.get(path)
            if file is None:
                raise web.HTTPNotFound
            return file.answer(request)

        return send


def client_for_front_ends(root: Path) -> dict[str, Handler]:
    """Return what answers at `/client.js`, by which every front end may speak to the gateway, ours or not."""
    path = root / _CLIENT[1:]
    held: dict[_State, HeldFile] = {}

    def current() -> HeldFile:
        state = _state_of(str(path))
        if state not in held:
            held.clear()
            held[state] = HeldFile(path.read_bytes(), file_type(path.name).content_type)
        return held[state]

    async def send(request: web.Request) -> web.Response:
        return current().answer(request)

    current()
    return {_CLIENT: send}


def _state_of(path: str) -> _State:
    """Return what changes with the contents of a file, or of a folder; raises OSError."""
    found = os.stat(path)  # noqa: PTH116 - twice as fast as of a Path
    return found.st_mtime_ns, found.st_size
