"""The operators' side: an application of its own on a port of its own, which is never published.

Owns what an operator may read: whether each dependency is usable, since when this process runs, and what it
counted.
Never shows a secret, a person or a session, and never answers on the public port.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from aiohttp import hdrs, web

from gateway.app_keys import CREDENTIAL, DISCOVERY, METRICS, SETTINGS, VAULT
from gateway.edge.answer_headers import answer_headers, security_headers
from gateway.errors import SessionStoreUnavailable
from gateway.metrics import CONTENT_TYPE
from gateway.operation.admin_hosts import admin_hosts_middleware
from gateway.settings import Settings
from gateway.store.redis.budget import LIMITS, redis_budget
from servicekit.client_credential import CertificateKey
from servicekit.discovery import IssuerMismatch
from servicekit.errors import AuthorityUnavailable
from servicekit.http.answer_headers import ANSWER_HEADERS
from servicekit.http.life import LIFE
from servicekit.problems import problems_middleware
from servicekit.version import VERSION

PUBLIC: Final[web.AppKey[Callable[[], web.Application]]] = web.AppKey("public")
STARTED: Final = web.AppKey("started", float)
_PLAIN_HTTP: Final = "http://localhost"


async def ready(request: web.Request) -> web.Response:
    """Say of each dependency whether it is usable; 503 when sessions are not or the end has begun, as in public."""
    public = request.app[PUBLIC]()
    details: dict[str, Any] = {
        "redis": await _redis(public),
        "authority": await _authority(public),
        "issuer": public[SETTINGS].issuer,
        "version": VERSION,
        "uptime_seconds": round(time.monotonic() - request.app[STARTED]),
    }
    if not public[LIFE].open_for_work:
        status = "stopping"
    elif details["redis"] == "usable":
        status = "ready"
    else:
        status = "not ready"
    return web.json_response({"status": status, **details}, status=200 if status == "ready" else 503)


async def metrics(request: web.Request) -> web.Response:
    """Answer with what Prometheus reads."""
    public = request.app[PUBLIC]()
    # In a thread: where the credential's file has changed, it is read.
    credential = await asyncio.to_thread(public[CREDENTIAL])
    if isinstance(credential, CertificateKey):
        public[METRICS].certificate_ends(credential.not_valid_after.timestamp())
    return web.Response(body=public[METRICS].drawn(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})


async def _redis(public: web.Application) -> str:
    try:
        with redis_budget(LIMITS.request, goes_first=True):
            await public[VAULT].ping()
    except SessionStoreUnavailable as error:
        return f"unusable: {error.log_detail}"
    return "usable"


async def _authority(public: web.Application) -> str:
    try:
        await public[DISCOVERY].metadata()
    except AuthorityUnavailable as error:
        return f"unusable: {error.reason}"
    except IssuerMismatch as error:
        return f"misconfigured: {error}"
    return "usable"


def _own_names(settings: Settings) -> tuple[str, ...]:
    return (*settings.admin_names, settings.admin_host.lower())


def create_admin_side(public: Callable[[], web.Application]) -> web.Application:
    """Return the operators' application; `public` returns the one beside which it is, new settings make a new one."""
    app = web.Application(
        middlewares=[
            problems_middleware(),
            admin_hosts_middleware(lambda: _own_names(public()[SETTINGS])),
        ]
    )
    app[ANSWER_HEADERS] = answer_headers(_PLAIN_HTTP)
    app.on_response_prepare.append(security_headers(_PLAIN_HTTP))
    app[PUBLIC] = public
    app[STARTED] = time.monotonic()
    app.router.add_get("/health/ready", ready)
    app.router.add_get("/metrics", metrics)
    return app
