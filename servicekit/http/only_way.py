"""The only way in: what answers every request of an application.

Owns that an application has no other. Never knows a request.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web


def install(app: web.Application, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
    """Let the application answer by this alone, whatever server runs it; raises ValueError where it has middlewares.

    aiohttp has no word for that: a server asks an application's `_handle`, which would look for the route, build the
    chain of middlewares and run it. (The name is that of aiohttp's one minor version that we are held to.)
    """
    if app.middlewares:
        raise ValueError("a middleware would not be asked")
    object.__setattr__(app, "_handle", answer)
