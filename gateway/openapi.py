"""The description of the gateway's HTTP API in OpenAPI 3.1, and where it is served.

Never written by hand twice: tests compare it with the routes, the problems and the answers.
"""

import json
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from gateway.edge.guard import Policy, Route
from servicekit.version import VERSION

_WRITTEN: Final = json.loads(Path(__file__).with_suffix(".json").read_bytes())
_DOCUMENT: Final = json.dumps(_WRITTEN | {"info": _WRITTEN["info"] | {"version": VERSION}})


async def openapi(_request: web.Request) -> web.Response:
    """Answer with the description of these endpoints."""
    return web.Response(text=_DOCUMENT, content_type="application/json")


ROUTES: Final = (Route(hdrs.METH_GET, "/api/openapi.json", openapi, Policy.PUBLIC),)
