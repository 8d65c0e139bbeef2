"""The application that answers now: another one can take its place while connections stay open.

Owns which application a request goes to, how many requests each one still answers, and whether an answer is the last on
its connection.
Never makes an application, and never ends one.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Use:
    """One application's requests, from the first to the last."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with the application, and count the request as long as it takes."""
        self._under_way += 1
        self._idle.clear()
        try:
            return await self.handler(request)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def ended(self) -> None:
        """Return when no request is under way."""
        await self._idle.wait()


class CurrentApp:
    """What a server calls for each request."""

    def __init__(self, handler: Handler) -> None:
        self.answers_are_last = False
        """Whether each answer closes its connection, and says so: the process ends soon."""
        self._use = Use(handler)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with the application of now."""
        response = await self._use.handle(request)
        if self.answers_are_last:
            response.force_close()
        return response

    def exchange(self, handler: Handler) -> Use:
        """Answer with `handler` from now on, and return what the one of before still has to answer."""
        before, self._use = self._use, Use(handler)
        return before
