"""The composition root: what the gateway is made of.

Owns the wiring, and the order of the lives of what must be closed (`lives.py`); `pipeline.py` has the controls.
Decides nothing, and asks nothing of the authority at start: a gateway whose tenant is down still serves its pages
and says so.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from gateway import app_keys as keys
from gateway import openapi, routes
from gateway.audit.activity import Activity
from gateway.audit.recorder import Audit
from gateway.audit.refusals import Refusals
from gateway.edge.admission import admissions
from gateway.edge.answer_headers import answer_headers
from gateway.edge.content_policy import content_policy
from gateway.edge.cross_origin import cross_origin_headers
from gateway.edge.front_end_files import FrontEndFiles
from gateway.edge.guard import ROUTE_TABLE, Guard, no_records
from gateway.edge.origins import ORIGINS, OurOrigins
from gateway.edge.problem_pages import problem_pages
from gateway.edge.spa_files import SpaFiles, client_for_front_ends
from gateway.endpoints.upstreams import add_upstreams
from gateway.flows.access_rules import rules_of
from gateway.flows.arrivals import Arrivals
from gateway.flows.flow_record import FlowStore
from gateway.flows.return_address import return_address
from gateway.flows.step_up import StepUps
from gateway.limiting import limiting
from gateway.lives import authority_life, end_streams, network_life, redis_life, tokens_life, upstreams_life
from gateway.metrics import Metrics
from gateway.pipeline import Controls, Pipeline
from gateway.profile.rows import PATIENCE, Patience, profile_rows
from gateway.session.cookie import SessionStorage
from gateway.session.event_streams import STREAM_LIMITS, EventStreams, StreamLimits
from gateway.session.own_sessions import OwnSessions
from gateway.session.sessions import SessionStore
from gateway.session.watch import warning_seconds
from gateway.settings import Settings
from gateway.store.opening import hearing_clock, open_vault
from gateway.store.redis.budget import LIMITS, RedisLimits
from gateway.store.redis_clock import RedisClock
from gateway.tokens.resources import EDIT, GRAPH, Resource, Resources
from servicekit.audit.trail import Trail
from servicekit.authority_transport import ANSWER_SECONDS
from servicekit.http.admission import WAIT_SECONDS
from servicekit.http.answer_headers import ANSWER_HEADERS
from servicekit.http.bodies import LARGEST_BODY
from servicekit.http.client_networks import CLIENT_NETWORKS, ClientNetworks
from servicekit.http.every_answer import AnswerHeaders
from servicekit.http.life import LIFE, Life
from servicekit.http.only_way import install
from servicekit.http.routes import RouteTable

# Beside the package in a working copy and in the images; the wheel has it inside (pyproject.toml, force-include).
_PACKED: Final = Path(__file__).parent / "spa"
SPA: Final = _PACKED if _PACKED.is_dir() else Path(__file__).parent.parent / "spa"


def create_app(
    settings: Settings,
    *,
    now: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    spa: Path | SpaFiles | FrontEndFiles = SPA,
    authority_seconds: float = ANSWER_SECONDS,
    redis_limits: RedisLimits = LIMITS,
    stream_limits: StreamLimits = STREAM_LIMITS,
    metrics: Metrics | None = None,
    redis_clock: RedisClock | None = None,
    profile_patience: Patience = PATIENCE,
    admission_wait: float = WAIT_SECONDS,
    trail: Trail | None = None,
) -> web.Application:
    """Return the gateway for `settings`.

    `now` is the wall clock in seconds, by which the authority's tokens are judged; sessions and all that they hold live
    by `redis_clock`, Redis' own. `monotonic` is the one that the authority's documents age by, and by which it is left
    alone. `authority_seconds` is what a token request may take. `spa` is the
    client's folder, or its files as somebody read them already. `profile_patience` is how long
    Graph and the resource API may take, `admission_wait` how long a request stands in line for a place.
    `trail` is where the audit trail goes, if anywhere.
    Everything that reads files happens here, before there is a request that could wait for it.
    """
    pages = _pages(settings, spa)
    origins = OurOrigins(settings.public_url, settings.allowed_origins)
    policy = content_policy(front_end=settings.front_end is not None, additions=settings.csp_additions)
    metrics = metrics or Metrics()
    redis_time = redis_clock or hearing_clock(now, monotonic, metrics)
    _, vault, _ = open_vault(settings, now=redis_time, limits=redis_limits, counts=metrics)
    sessions = SessionStore(
        vault,
        now=redis_time,
        idle=settings.session_idle_seconds,
        absolute=settings.session_absolute_seconds,
        most=settings.max_sessions_per_person,
    )
    profile = profile_rows(settings, profile_patience)
    resources = Resources(
        Resource(GRAPH, settings.graph_scope),
        Resource(EDIT, settings.edit_profile_scope),
        (Resource(row.name, row.scope) for row in settings.upstreams if row.scope),
    )
    step_ups = StepUps(
        now=redis_time,
        resources=resources,
        rules=rules_of(resources, settings.upstreams, edit_max_age=profile.edit.max_age),
    )
    activity = Activity(vault)
    audit = Audit(vault, activity, trail, now=redis_time)
    vault.ends.on_end = audit.session_ended
    limited = limiting(settings, vault, sessions, metrics)
    app = web.Application(client_max_size=LARGEST_BODY)
    constant = answer_headers(settings.public_url, policy)
    every = AnswerHeaders(
        constant,
        now=now,
        dated_by=redis_time,
        completion=cross_origin_headers(origins) if origins.others else None,
    )
    app.on_response_prepare.append(every.on_prepare)
    app[ANSWER_HEADERS] = constant
    app[CLIENT_NETWORKS] = ClientNetworks(settings.trusted_proxies)
    app[ROUTE_TABLE] = RouteTable()
    app[ORIGINS] = origins
    app[keys.SETTINGS] = settings
    app[keys.CLOCK] = now
    app[LIFE] = Life()
    app[keys.METRICS] = metrics
    app[keys.CREDENTIAL] = settings.credential
    app[keys.VAULT] = vault
    app[keys.SESSIONS] = sessions
    app[keys.FLOWS] = FlowStore(vault, plain_http=settings.public_url.startswith("http://"))
    app[keys.ARRIVALS] = Arrivals(now=monotonic)
    app[keys.ACTIVITY] = activity
    app[keys.AUDIT] = audit
    app[keys.CLIENT_ADDRESSES] = limited.addresses
    app[keys.RATE_LIMITS] = limited.limits
    app[keys.COOKIE_MARKS] = limited.marks
    app[keys.OWN_SESSIONS] = OwnSessions(vault)
    app[keys.STEP_UPS] = step_ups
    app[keys.EVENT_STREAMS] = EventStreams(
        sessions,
        vault,
        step_ups.access,
        access_until=step_ups.access_until,
        fields=step_ups.access_fields,
        now=redis_time,
        monotonic=monotonic,
        warning=warning_seconds(settings.session_idle_seconds, settings.session_absolute_seconds),
        redis_seconds=redis_limits.request,
        limits=stream_limits,
        counts=metrics,
    )
    app[openapi.DOCUMENT] = openapi.Document(lambda: routes.description(settings.upstreams))
    add_upstreams(app, settings.upstreams)
    app[ROUTE_TABLE].add(app, routes.served(settings, pages))
    pipeline = Pipeline(
        app,
        Controls(
            Guard(origins.own, origins.others),
            places=admissions(settings.max_requests, metrics, wait=admission_wait),
            limiting=limited,
            refusals=Refusals(audit),
            metrics=metrics,
            origins=origins,
            sessions=lambda row: SessionStorage(
                sessions,
                row.records if row else no_records,
                limited.session_cookies,
                writes=bool(row and row.binds_session),
                ahead=row.ahead if row else None,
            ),
            draw=problem_pages(
                pages,
                host=urlsplit(settings.public_url).netloc,
                close_flow=FlowStore.close,
                return_address=lambda text: return_address(text, origins),
                origins=origins,
            ),
            every=every,
            redis_seconds=redis_limits.request,
        ),
    )
    install(app, pipeline.answer)
    # Closed from the last to the first.
    app.cleanup_ctx.extend(
        (
            redis_life(),
            network_life(settings),
            authority_life(settings, monotonic=monotonic, answer_seconds=authority_seconds),
            tokens_life(settings, resources, monotonic=monotonic, profile=profile),
            upstreams_life(settings, monotonic=monotonic),
        )
    )
    # Before the server waits for what is under way: streams are, always.
    app.on_shutdown.append(end_streams)
    return app


def _pages(settings: Settings, spa: Path | SpaFiles | FrontEndFiles) -> SpaFiles | FrontEndFiles:
    """Return the front end that is served: another one than ours where the settings name it."""
    if settings.front_end is not None:
        return FrontEndFiles(Path(settings.front_end), beside=client_for_front_ends(SPA))
    return SpaFiles(spa) if isinstance(spa, Path) else spa
