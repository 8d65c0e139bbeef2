"""By which names people's pages may be asked for: the front page, the inbox with its codes, signing in and out.

Owns that a page of somebody else reads none of them by DNS rebinding: such a page leads a name of its own to this
computer, and the name stays in ``Host``. What programs ask (metadata, keys, tokens, Graph) asks for a proof by itself,
or is public, and answers to every name, because the authority's true one is mapped here in local work.
The admin surface has a door of its own, which is narrower.
"""

import ipaddress
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from local_tenant.page_frame import respond, whole
from local_tenant.tenant import TENANT

_OF_PROGRAMS: Final = frozenset({"discovery", "keys", "token"})
# Names that no registry sells: RFC 6761, RFC 6762, RFC 8375, ICANN's .internal, and services of Kubernetes.
_NOT_FOR_SALE: Final = (".localhost", ".local", ".internal", ".test", ".svc", ".home.arpa")
_SENTENCE: Final = "The local tenant shows its pages at its own address only."


@web.middleware
async def known_hosts_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 421 for a page that is asked for by a name which anybody could have registered."""
    if _is_judged_elsewhere(request) or is_known(request.host, [request.app[TENANT].public_url]):
        return await handler(request)
    if "text/html" in request.headers.get(hdrs.ACCEPT, ""):
        page = whole("Another address", f"<h1>Another address</h1><p>{_SENTENCE}</p>")
        return respond(page, status=HTTPStatus.MISDIRECTED_REQUEST)
    return web.json_response(
        {"error": "misdirected_request", "error_description": _SENTENCE},
        status=HTTPStatus.MISDIRECTED_REQUEST,
        headers={hdrs.CACHE_CONTROL: "no-store"},
    )


def is_known(host: str, own: Iterable[str]) -> bool:
    """Tell whether a host, perhaps with a port, is an address, a name that nobody can register, or one of ``own``.

    ``own`` are addresses with a scheme. A name without a dot is that of a container.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if "@" in host or not name:
        return False
    bare = name.removesuffix(".")
    if "." not in bare.strip(".") and ":" not in bare:
        return True
    return (
        bare.endswith(_NOT_FOR_SALE) or _is_address(bare) or bare in {urlsplit(url).hostname for url in own}
    )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_judged_elsewhere(request: web.Request) -> bool:
    """Tell whether the route is for programs or administrators; where there is none, nothing is shown."""
    if request.match_info.http_exception is not None or request.path == "/health/live":
        return True
    name = request.match_info.route.name or ""
    is_of_programs = name in _OF_PROGRAMS or name.startswith("graph.") or request.method == hdrs.METH_OPTIONS
    return is_of_programs or request.path.split("/")[1] == "admin"
