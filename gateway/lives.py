"""The lives of what the gateway must close: one cleanup context for each, in the order of `app.py`.

Owns what is opened when the application starts and closed when it ends: connections to Redis and to everybody else,
the authority, and whatever asks for tokens.
Decides nothing, and asks nothing of the authority at start.
"""

from collections.abc import AsyncIterator, Callable
from typing import Final

from aiohttp import web

from gateway import app_keys as keys
from gateway.flows.end_session import EndSession
from gateway.flows.flow import AuthFlow
from gateway.flows.logout import Logout
from gateway.flows.logout_token import LogoutTokenJudge
from gateway.profile.edits import ProfileEdits
from gateway.profile.graph import ProfileReader
from gateway.profile.recently_saved import RecentlySaved
from gateway.profile.resource_client import ResourceApiClient
from gateway.profile.rows import ProfileRows
from gateway.profile.saves import ProfileSaves
from gateway.proxy.confirmed_requests import ConfirmedRequests
from gateway.proxy.exchange import Exchange
from gateway.proxy.forward import Forwarder
from gateway.proxy.interruptions import Interruptions
from gateway.proxy.parked_changes import ParkedChanges
from gateway.proxy.parked_form import PROFILE_PATH
from gateway.proxy.parked_requests import ParkedRequests
from gateway.proxy.paths import UpstreamPaths
from gateway.proxy.socket_handshake import SocketHandshakes
from gateway.proxy.ways import way_to
from gateway.proxy.websocket import WebSockets
from gateway.record_kinds import RECORD_KINDS
from gateway.session.session_ends import SessionEnds
from gateway.settings import Settings
from gateway.store.known_good import AuthorityMemory
from gateway.store.opening import connected
from gateway.store.redis.budget import LIMITS
from gateway.tokens.authorization_extras import AuthorizationExtras
from gateway.tokens.broker import TokenBroker
from gateway.tokens.id_token import IdTokenJudge
from gateway.tokens.resources import Resources
from gateway.upstream_rows import UpstreamRow
from servicekit.authority import Authority, open_authority
from servicekit.outbound import Outbound, outbound
from servicekit.token_threads import CALL_SECONDS

# The slowest token request, and keeping what it brings.
SETTLING_SECONDS: Final = CALL_SECONDS + 2

_NETWORK: Final = web.AppKey("network", Outbound)
_AUTHORITY: Final = web.AppKey("authority", Authority)
_BROKER: Final = web.AppKey("broker", TokenBroker)

CleanupContext = Callable[[web.Application], AsyncIterator[None]]


def redis_life() -> CleanupContext:
    """Return the life of the connections to Redis."""

    async def life(app: web.Application) -> AsyncIterator[None]:
        waits = app[keys.SETTINGS].redis_wait_replicas > 0
        async with connected(app[keys.VAULT], waits=waits):
            yield
            await app[keys.ACTIVITY].aclose()
            await app[keys.RATE_LIMITS].aclose()

    return life


def network_life(settings: Settings) -> CleanupContext:
    """Return the life of the connections to everybody else, token requests left out."""

    async def life(app: web.Application) -> AsyncIterator[None]:
        async with outbound(settings.addresses, settings.ca_bundle) as network:
            app[_NETWORK] = network
            yield

    return life


def authority_life(
    settings: Settings, *, monotonic: Callable[[], float], answer_seconds: float
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
            answer_seconds=answer_seconds,
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


def tokens_life(
    settings: Settings,
    resources: Resources,
    *,
    monotonic: Callable[[], float],
    profile: ProfileRows,
) -> CleanupContext:
    """Return the life of the token broker, and what asks it for tokens."""

    async def life(app: web.Application) -> AsyncIterator[None]:
        now, sessions, step_ups = app[keys.VAULT].now, app[keys.SESSIONS], app[keys.STEP_UPS]
        broker = app[_BROKER] = TokenBroker(
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
        to_graph, to_api = (
            way_to(row, app[_NETWORK], now=monotonic, counts=app[keys.METRICS]) for row in profile
        )
        parked = app[keys.PARKED_REQUESTS] = ParkedRequests(app[keys.VAULT], now=now)
        interruptions = app[keys.INTERRUPTIONS] = Interruptions(
            parked, step_ups, app[keys.AUDIT], app[keys.METRICS]
        )
        saves = ProfileSaves(
            ProfileReader(to_graph, broker, row=profile.read, resource=resources.read, audit=app[keys.AUDIT]),
            ResourceApiClient(to_api, broker, row=profile.edit, resource=resources.edit),
            step_ups,
            RecentlySaved(now=now),
            app[keys.AUDIT],
        )
        app[keys.EDITS] = ProfileEdits(
            saves,
            step_ups,
            parked,
            app[keys.AUDIT],
            interruptions=interruptions,
            now=now,
        )
        app[keys.AUTH_FLOW] = AuthFlow(
            broker,
            sessions,
            step_ups,
            app[keys.DISCOVERY],
            RECORD_KINDS,
            resources=resources,
            now=now,
            wall=app[keys.CLOCK],
            new_cookie=app[keys.COOKIE_MARKS].new,
            leeway_seconds=settings.clock_leeway_seconds,
        )
        yield
        # What waits for a thread still has redeemed nothing, and nothing is lost with it.
        app[_AUTHORITY].entra.take_no_more()
        await broker.settle(SETTLING_SECONDS)

    return life


def upstreams_life(settings: Settings, *, monotonic: Callable[[], float]) -> CleanupContext:
    """Return the life of the ways to upstreams, each with connections, places and a circuit breaker of its own."""

    async def life(app: web.Application) -> AsyncIterator[None]:
        step_ups, counts = app[keys.STEP_UPS], app[keys.METRICS]
        counts.watch_breakers(row.name for row in settings.upstreams)

        def exchange(row: UpstreamRow) -> Exchange:
            return Exchange(
                row.name,
                way_to(row, app[_NETWORK], now=monotonic, counts=counts),
                app[_BROKER],
                step_ups,
                rule=step_ups.rules.get(row.name),
                seconds=row.timeout,
                counts=counts,
                monotonic=monotonic,
            )

        exchanges, paths = (
            {row.name: exchange(row) for row in settings.upstreams},
            UpstreamPaths(settings.upstreams),
        )
        forwarder = app[keys.FORWARDER] = Forwarder(
            exchanges,
            app[keys.SESSIONS],
            step_ups,
            app[keys.INTERRUPTIONS],
            app[keys.AUDIT],
            session_ends=SessionEnds(
                app[keys.VAULT],
                app[keys.EVENT_STREAMS].wheel,
                now=app[keys.VAULT].now,
                idle=settings.session_idle_seconds,
                redis_seconds=LIMITS.request,
            ),
            now=app[keys.VAULT].now,
            counts=counts,
        )
        app[keys.PARKED_CHANGES] = ParkedChanges(
            paths, exchanges, own={PROFILE_PATH: app[keys.EDITS].profile}
        )
        app[keys.CONFIRMED_REQUESTS] = ConfirmedRequests(
            app[keys.PARKED_REQUESTS], app[keys.INTERRUPTIONS], forwarder, paths, counts
        )
        addresses = app[keys.CLIENT_ADDRESSES]
        app[keys.WEBSOCKETS] = WebSockets(
            app[keys.SESSIONS],
            app[keys.VAULT],
            app[keys.EVENT_STREAMS].wheel,
            SocketHandshakes(exchanges, step_ups).open,
            app[keys.AUDIT],
            now=app[keys.VAULT].now,
            idle=settings.session_idle_seconds,
            redis_seconds=LIMITS.request,
            network_of=lambda request: addresses.of(request).network,
            counts=counts,
        )
        yield

    return life


async def end_streams(app: web.Application) -> None:
    """End every stream of events, our own and those of upstreams, and every WebSocket; for `on_shutdown`."""
    app[keys.WEBSOCKETS].stop()
    app[keys.EVENT_STREAMS].stop()
    app[keys.FORWARDER].stop()
