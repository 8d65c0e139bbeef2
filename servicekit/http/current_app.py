"""The application that answers now: another one can take its place while connections stay open.

Owns which application a request goes to, how many requests each one still answers, and whether an answer is the last on
its connection.
Never makes an application, and never ends one.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from servicekit.end_of_turn import EndOfTurn

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Use:
    """One application's requests, from the first to the last."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.under_way = 0
        self._idle: asyncio.Future[None] | None = None

    def one_less(self) -> None:
        """Count a request no more."""
        self.under_way -= 1
        if not self.under_way and self._idle and not self._idle.done():
            self._idle.set_result(None)

    async def ended(self) -> None:
        """Return when no request is under way."""
        if self.under_way:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle


class CurrentApp:
    """What a server is given in the place of a handler: each request is a use of the application of its moment."""

    def __init__(self, handler: Handler) -> None:
        self.answers_are_last = False
        """Whether each answer closes its connection, and says so: the process ends soon."""
        self.end_of_turn = EndOfTurn()
        """When short answers go out, whichever connection they are for."""
        self.use = Use(handler)
        """That of the application of now."""

    def exchange(self, handler: Handler) -> Use:
        """Answer with `handler` from now on, and return what the one of before still has to answer."""
        before, self.use = self.use, Use(handler)
        return before
