"""Composition root of the resource API: where settings, network and routes meet.

Owns the response headers, and the birth and death of what needs closing; `pipeline.py` has the controls.
Never contacts the authority or Graph: it starts, and answers clearly, while both are down.
"""

import functools
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import hdrs, web

from resource_api.access import GATEKEEPER, Gatekeeper, Route, ScopePolicy
from resource_api.access_tokens import token_rules
from resource_api.audit import Audit
from resource_api.editing import ProfileEditor
from resource_api.graph import UPSTREAM, GraphMe
from resource_api.known_good import AuthorityFiles
from resource_api.on_behalf_of import GraphTokens
from resource_api.openapi import document
from resource_api.patience import Patience
from resource_api.pipeline import Pipeline
from resource_api.proven_signatures import ProvenSignatures
from resource_api.routes import DESCRIPTION, EDITOR, table
from resource_api.settings import Settings
from servicekit.audit.trail import Trail
from servicekit.authority import open_authority
from servicekit.http.admission import Admission
from servicekit.http.answer_headers import ANSWER_HEADERS
from servicekit.http.bodies import LARGEST_BODY
from servicekit.http.every_answer import AnswerHeaders
from servicekit.http.life import LIFE, Life
from servicekit.http.only_way import install
from servicekit.http.request_heads import LARGEST_HEAD
from servicekit.http.routes import RouteTable
from servicekit.logs import log_event
from servicekit.outbound import outbound

_log = logging.getLogger(__name__)

# An API for machines: nothing of it is ever a page, a script or a cached copy.
_HEADERS: Final = {
    hdrs.CACHE_CONTROL: "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def largest_head(longest_token: int) -> int:
    """Return how many bytes of header fields are taken, where a token may have so many characters.

    A bearer token alone may take half of it.
    """
    return max(LARGEST_HEAD, 2 * longest_token)


def create_app(
    settings: Settings,
    *,
    patience: Patience | None = None,
    now: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    trail: Trail | None = None,
) -> web.Application:
    """Return the application.

    `now` is the wall clock that tokens are judged by, `monotonic` the one that keys and metadata age by.
    `trail` is where the audit trail goes, if anywhere.
    """
    rows: RouteTable[Route] = RouteTable()
    app = web.Application(client_max_size=LARGEST_BODY)
    policy = ScopePolicy(
        settings.scope, settings.acrs, settings.max_age_seconds, settings.clock_leeway_seconds
    )
    served = table(policy)
    rows.add(app, served)
    # Drawn where somebody asks, and once.
    description: Callable[[], dict[str, Any]] = functools.cache(lambda: document(served))
    app[DESCRIPTION] = description
    app[ANSWER_HEADERS] = _HEADERS
    app[LIFE] = Life()
    every = AnswerHeaders(_HEADERS)
    app.on_response_prepare.append(every.on_prepare)
    pipeline = Pipeline(
        app,
        rows,
        places=Admission("work", settings.max_requests),
        largest_head=largest_head(settings.longest_token),
        audit=Audit(trail),
        every=every,
    )
    install(app, pipeline.answer)
    app.cleanup_ctx.append(_network(settings, patience or Patience(), now, monotonic))
    return app


def _network(
    settings: Settings, patience: Patience, now: Callable[[], float], monotonic: Callable[[], float]
) -> Callable[[web.Application], AsyncIterator[None]]:
    """Return the life of everything that speaks to the authority and to Graph."""
    credential = settings.credential  # reads files, and so not where requests are served

    async def life(app: web.Application) -> AsyncIterator[None]:
        addresses = settings.addresses
        if addresses.origins:
            log_event(_log, logging.WARNING, "authority-map-in-use", hosts=sorted(addresses.origins))
        async with outbound(addresses, settings.ca_bundle) as network:
            with open_authority(
                settings,
                network,
                issuer=settings.issuer,
                credential=credential,
                store=_memory(settings, now),
                now=now,
                monotonic=monotonic,
                offline_access=False,
                prove=ProvenSignatures().prove,  # a person's token comes with each request, for an hour
            ) as authority:
                app[GATEKEEPER] = Gatekeeper(
                    authority.verifier,
                    authority.discovery,
                    token_rules(settings),
                    longest_token=settings.longest_token,
                    now=now,
                    monotonic=monotonic,
                )
                app[EDITOR] = ProfileEditor(
                    GraphTokens(authority.entra, now=now),
                    GraphMe(network.to(UPSTREAM, now=monotonic), settings.graph_url, patience=patience),
                    patience=patience,
                )
                yield

    return life


def _memory(settings: Settings, now: Callable[[], float]) -> AuthorityFiles | None:
    """Return where metadata and keys outlive this process, if there is a place for them."""
    if settings.state_directory is None:
        return None
    return AuthorityFiles(
        Path(settings.state_directory), issuer=settings.issuer, url=settings.discovery_url, now=now
    )
