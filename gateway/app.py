"""The composition root: what the gateway is made of.

Owns the wiring, the order of the middlewares, and the life of what must be closed: one cleanup context for each.
Decides nothing, and asks nothing of the authority at start: a gateway whose tenant is down still serves its pages
and says so.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp_session
from aiohttp import web

from gateway import app_keys as keys
from gateway import openapi, routes
from gateway.edge.admission import GO_FIRST, admissions
from gateway.edge.date_header import date_header
from gateway.edge.guard import ROUTE_TABLE, guard_middleware, lane_of, records_of, security_headers
from gateway.edge.limits import FlowLimit
from gateway.edge.problem_pages import problem_pages
from gateway.edge.spa_files import SpaFiles
from gateway.flows.arrivals import Arrivals
from gateway.flows.end_session import EndSession
from gateway.flows.flow import AuthFlow
from gateway.flows.flow_record import FlowStore
from gateway.flows.logout import Logout
from gateway.flows.logout_token import LogoutTokenJudge
from gateway.flows.step_up import ACCESS_FIELDS, StepUps
from gateway.metrics import Metrics
from gateway.profile.edits import ProfileEdits
from gateway.profile.graph import ProfileReader
from gateway.profile.resource_client import ResourceApiClient
from gateway.profile.upstreams import UPSTREAMS, ways_to
from gateway.record_kinds import RECORD_KINDS
from gateway.session.cookie import SessionStorage
from gateway.session.event_streams import STREAM_LIMITS, EventStreams, StreamLimits
from gateway.session.own_sessions import OwnSessions
from gateway.session.sessions import SessionStore
from gateway.session.watch import warning_seconds
from gateway.settings import Settings
from gateway.store.known_good import AuthorityMemory
from gateway.store.opening import connected, hearing_clock, open_vault
from gateway.store.redis.budget import LIMITS, RedisLimits, redis_budget_middleware
from gateway.store.redis_clock import RedisClock
from gateway.tokens.authorization_extras import AuthorizationExtras
from gateway.tokens.broker import TokenBroker
from gateway.tokens.id_token import IdTokenJudge
from gateway.tokens.token_records import EDIT, GRAPH, Resource
from servicekit.authority import Authority, open_authority
from servicekit.authority_transport import CONNECT_SECONDS, READ_SECONDS
from servicekit.http.admission import admission_middleware
from servicekit.http.bodies import LARGEST_BODY
from servicekit.http.life import LIFE, Life
from servicekit.http.request_heads import head_limits_middleware
from servicekit.http.routes import RouteTable
from servicekit.outbound import Outbound, outbound
from servicekit.problems import problems_middleware
from servicekit.token_threads import CALL_SECONDS
from servicekit.upstream import Upstream

# Beside the package in a working copy and in the images; the wheel has it inside (pyproject.toml, force-include).
_PACKED: Final = Path(__file__).parent / "spa"
SPA: Final = _PACKED if _PACKED.is_dir() else Path(__file__).parent.parent / "spa"
# The slowest token request, and keeping what it brings.
SETTLING_SECONDS: Final = CALL_SECONDS + 2

_NETWORK: Final = web.AppKey("network", Outbound)
_AUTHORITY: Final = web.AppKey("authority", Authority)

CleanupContext = Callable[[web.Application], AsyncIterator[None]]


def create_app(
    settings: Settings,
    *,
    now: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    spa: Path | SpaFiles = SPA,
    authority_timeouts: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
    redis_limits: RedisLimits = LIMITS,
    stream_limits: StreamLimits = STREAM_LIMITS,
    metrics: Metrics | None = None,
    redis_clock: RedisClock | None = None,
    upstreams: Iterable[Upstream] = UPSTREAMS,
) -> web.Application:
    """Return the gateway for `settings`.

    `now` is the wall clock in seconds, by which the authority's tokens are judged; sessions and all that they hold live
    by `redis_clock`, Redis' own. `monotonic` is the one that the authority's documents age by, and by which it is left
    alone. `authority_timeouts` are those of token requests: for connecting, and for the answer. `spa` is the
    client's folder, or its files as somebody read them already. `upstreams` are Graph and the resource API.
    Everything that reads files happens here, before there is a request that could wait for it.
    """
    pages = spa if isinstance(spa, SpaFiles) else SpaFiles(spa)
    metrics = metrics or Metrics()
    redis_time = redis_clock or hearing_clock(now, monotonic, metrics)
    _, vault, _ = open_vault(settings, now=redis_time, limits=redis_limits, counts=metrics)
    sessions = SessionStore(
        vault, now=redis_time, idle=settings.session_idle_seconds, absolute=settings.session_absolute_seconds
    )
    read = Resource(GRAPH, settings.graph_scope)
    edit = Resource(EDIT, settings.edit_profile_scope)
    step_ups = StepUps(now=redis_time, edit=edit, max_age=settings.step_up_max_age_seconds)
    places = admissions(settings.max_requests, metrics)
    app = web.Application(
        middlewares=[
            metrics.middleware(),
            problems_middleware(
                problem_pages(pages, host=urlsplit(settings.public_url).netloc, close_flow=FlowStore.close)
            ),
            admission_middleware(lambda request: places[lane_of(request)]),
            head_limits_middleware(),
            redis_budget_middleware(
                redis_limits.request, goes_first=lambda request: lane_of(request) in GO_FIRST
            ),
            guard_middleware(settings.public_url),
            aiohttp_session.session_middleware(SessionStorage(sessions.load, records_of)),
        ],
        client_max_size=LARGEST_BODY,
    )
    app.on_response_prepare.append(security_headers(settings.public_url))
    app.on_response_prepare.append(date_header(now, redis_time))
    app[ROUTE_TABLE] = RouteTable()
    app[keys.SETTINGS] = settings
    app[keys.CLOCK] = now
    app[LIFE] = Life()
    app[keys.METRICS] = metrics
    app[keys.CREDENTIAL] = settings.credential
    app[keys.VAULT] = vault
    app[keys.SESSIONS] = sessions
    app[keys.FLOWS] = FlowStore(vault, plain_http=settings.public_url.startswith("http://"))
    app[keys.ARRIVALS] = Arrivals(now=monotonic)
    app[keys.FLOW_LIMIT] = FlowLimit(
        settings.journeys_per_minute, settings.trusted_proxies, now=time.monotonic
    )
    app[keys.OWN_SESSIONS] = OwnSessions(vault)
    app[keys.STEP_UPS] = step_ups
    app[keys.EVENT_STREAMS] = EventStreams(
        sessions,
        vault,
        step_ups.access,
        access_until=step_ups.access_until,
        fields=ACCESS_FIELDS,
        now=redis_time,
        monotonic=monotonic,
        warning=warning_seconds(settings.session_idle_seconds, settings.session_absolute_seconds),
        redis_seconds=redis_limits.request,
        limits=stream_limits,
        counts=metrics,
    )
    app[openapi.DOCUMENT] = routes.description()
    app[ROUTE_TABLE].add(app, routes.served(settings, pages))
    # Closed from the last to the first.
    app.cleanup_ctx.extend(
        (
            _redis(),
            _network(settings),
            _authority(settings, monotonic=monotonic, timeouts=authority_timeouts),
            _tokens(settings, read=read, edit=edit, monotonic=monotonic, upstreams=upstreams),
        )
    )
    # Before the server waits for what is under way: streams are, always.
    app.on_shutdown.append(_end_streams)
    return app


def _redis() -> CleanupContext:
    """Return the life of the connections to Redis."""

    async def life(app: web.Application) -> AsyncIterator[None]:
        waits = app[keys.SETTINGS].redis_wait_replicas > 0
        async with connected(app[keys.VAULT], waits=waits):
            yield

    return life


def _network(settings: Settings) -> CleanupContext:
    """Return the life of the connections to everybody else, token requests left out."""

    async def life(app: web.Application) -> AsyncIterator[None]:
        async with outbound(settings.addresses, settings.ca_bundle) as network:
            app[_NETWORK] = network
            yield

    return life


def _authority(
    settings: Settings, *, monotonic: Callable[[], float], timeouts: tuple[float, float]
) -> CleanupContext:
    """Return the life of what speaks to the authority, and judges what it signed."""

    async def life(app: web.Application) -> AsyncIterator[None]:
        issuer, now, metrics = settings.issuer, app[keys.CLOCK], app[keys.METRICS]
        with open_authority(
            settings,
            app[_NETWORK],
            issuer=issuer,
            credential=app[keys.CREDENTIAL],
            store=AuthorityMemory(app[keys.VAULT], issuer=issuer, url=settings.discovery_url),
            now=now,
            monotonic=monotonic,
            timeouts=timeouts,
            # A custom domain of Entra has a tenant id; nobody else's authority does.
            is_plain=settings.tenant_id is None,
            insist_on=settings.extra_scopes,
            on_request=metrics.token_requested,
            on_clock=metrics.clock_differs,
            on_pause=lambda is_open: metrics.breaker_turned("token-endpoint", is_open=is_open),
        ) as app[_AUTHORITY]:
            app[keys.DISCOVERY] = app[_AUTHORITY].discovery
            app[keys.END_SESSION] = EndSession(app[keys.DISCOVERY], settings, app[keys.VAULT])
            app[keys.LOGOUT] = Logout(
                app[keys.SESSIONS],
                app[keys.VAULT],
                LogoutTokenJudge(
                    app[_AUTHORITY].verifier,
                    issuer=issuer,
                    client_id=settings.client_id,
                    trusted_audiences=frozenset(settings.trusted_audiences),
                    leeway_seconds=settings.clock_leeway_seconds,
                ),
                issuer=issuer,
                tenant=settings.tenant_id or issuer,
                now=now,
                leeway_seconds=settings.clock_leeway_seconds,
            )
            yield

    return life


def _tokens(
    settings: Settings,
    *,
    read: Resource,
    edit: Resource,
    monotonic: Callable[[], float],
    upstreams: Iterable[Upstream],
) -> CleanupContext:
    """Return the life of the token broker, and what asks it for tokens."""

    async def life(app: web.Application) -> AsyncIterator[None]:
        now, sessions, step_ups = app[keys.VAULT].now, app[keys.SESSIONS], app[keys.STEP_UPS]
        broker = TokenBroker(
            app[_AUTHORITY].entra,
            IdTokenJudge(
                app[_AUTHORITY].verifier,
                issuer=settings.issuer,
                client_id=settings.client_id,
                tenant_id=settings.tenant_id,
                trusted_audiences=frozenset(settings.trusted_audiences),
                leeway_seconds=settings.clock_leeway_seconds,
            ),
            sessions,
            now=now,
            redirect_uri=settings.redirect_uri,
            response_mode=settings.response_mode,
            extras=AuthorizationExtras.of(
                settings.extra_scopes, settings.authorize_parameters, settings.prompt
            ),
            keeps_id_tokens=settings.id_token_hint,
            counts=app[keys.METRICS],
        )
        to_graph, to_api = ways_to(upstreams, app[_NETWORK], now=monotonic, counts=app[keys.METRICS])
        app[keys.EDITS] = ProfileEdits(
            ProfileReader(to_graph, broker, url=settings.graph_url, resource=read),
            ResourceApiClient(to_api, broker, url=settings.resource_api_url, resource=edit),
            step_ups,
            now=now,
        )
        app[keys.AUTH_FLOW] = AuthFlow(
            broker,
            sessions,
            step_ups,
            app[keys.DISCOVERY],
            RECORD_KINDS,
            read=read,
            edit=edit,
            now=now,
            wall=app[keys.CLOCK],
            leeway_seconds=settings.clock_leeway_seconds,
        )
        yield
        # What waits for a thread still has redeemed nothing, and nothing is lost with it.
        app[_AUTHORITY].entra.take_no_more()
        await broker.settle(SETTLING_SECONDS)

    return life


async def _end_streams(app: web.Application) -> None:
    app[keys.EVENT_STREAMS].stop()
