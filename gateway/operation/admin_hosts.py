"""By which names the operators' side may be asked.

Owns that a page of somebody else gets no answer by DNS rebinding: it has a name of its own, leads it to this computer
or this network, and reads what answers as if it were its own server. The name stays in `Host`, so a name that anybody
can register is refused unless an operator has set it.
Never looks at who asks, and never asks a resolver. Marks of browsers decide nothing: over plain http a browser sends
neither `Origin` nor `Sec-Fetch-Site` with such a request.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from gateway.errors import MisdirectedRequest
from servicekit.http.host_field import host_of

# Names that no registry sells: RFC 6761, RFC 6762, RFC 8375, ICANN's .internal, and services of Kubernetes.
_NOT_FOR_SALE: Final = frozenset({"localhost", "local", "internal", "test", "svc", "home.arpa"})


def may_be_asked_by(name: str, own_names: Iterable[str]) -> bool:
    """Tell whether `name`, in small letters, is one that only our operators can have given to this side.

    That is an address; a name without a dot, as containers have it; one that no registry sells; what this computer is
    called; and `own_names`.
    """
    bare = name.removesuffix(".")
    labels = bare.split(".")
    if len(labels) == 1 or not _NOT_FOR_SALE.isdisjoint((labels[-1], ".".join(labels[-2:]))):
        return bool(bare)
    return _is_address(bare) or bare in {socket.gethostname().lower(), *own_names}


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def admin_hosts_middleware(own_names: Callable[[], Iterable[str]]) -> Middleware:
    """Return the middleware that raises MisdirectedRequest for any other name; `own_names` is asked each time."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        # A program that names nobody is no browser: balancers ask so, by HTTP/1.0.
        name = host_of(request.headers.get(hdrs.HOST, "localhost"))
        if not name or not may_be_asked_by(name, own_names()):
            raise MisdirectedRequest("Ask by an address, or set this host in GATEWAY_ADMIN_NAMES.")
        return await handler(request)

    return middleware
