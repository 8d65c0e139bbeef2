"""The gateway on a real socket, with the local tenant, the resource API and Valkey behind it, and clocks to move."""

import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr
from redis.asyncio import Redis

from gateway.app import SPA, create_app
from gateway.edge.spa_files import SpaFiles
from gateway.profile.rows import PATIENCE as PATIENCE_OF_PROFILES
from gateway.profile.rows import Patience as ProfilePatience
from gateway.session.event_streams import STREAM_LIMITS, StreamLimits
from gateway.settings import PREFIX, Settings
from gateway.store.redis.budget import LIMITS, RedisLimits
from local_tenant.app import create_app as create_tenant
from local_tenant.configuration import BUNDLED, load
from local_tenant.signing import KeyRing, SigningKey, generate_key
from resource_api.app import create_app as create_api
from resource_api.patience import Patience
from resource_api.settings import PREFIX as API_PREFIX
from resource_api.settings import Settings as ApiSettings
from servicekit.audit.trail import Trail
from servicekit.authority_transport import ANSWER_SECONDS
from servicekit.http.admission import WAIT_SECONDS
from servicekit.http.quiet_server import QuietRunner
from servicekit.settings_faults import load_settings
from tests.stage.clock_of_redis import ClockOfRedis
from tests.stage.network import Network
from tests.stage.operator_settings import gateway_environment, sealing_key
from tests.stage.other_front_end import NoFlow, OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.tenant import API, API_SECRET, GATEWAY, GATEWAY_SECRET, TENANT_ID, MovableClock
from tests.stage.trust import ONE_CERTIFICATE

# Every part runs in one process here, with several gateways at times: on two busy cores half a second passes unnoticed.
PATIENT = RedisLimits(command=10, attempt=20, request=30)
# The client's files are read once for all gateways: that is a third of the time that a gateway is made in.
CLIENT = SpaFiles(SPA)
SEALING_KEY = sealing_key("first")
STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"


@dataclass
class World:
    """Everything that a gateway has around it."""

    gateway_url: str
    tenant_url: str
    api_url: str
    redis: "Redis"
    clock: MovableClock
    tenant_clock: MovableClock
    app: web.Application
    new_gateway: Callable[..., Awaitable["World"]]
    stop: Callable[[], Awaitable[None]]
    """Stop this gateway; the next one takes its address."""
    _people: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def front_end(self) -> OtherFrontEnd:
        """A person with a fresh browser."""
        opened = OtherFrontEnd.open(self.gateway_url, self.tenant_url, app=self.app)
        return await self._people.enter_async_context(opened)

    async def signed_in(self) -> OtherFrontEnd:
        """Ada, signed in."""
        person = await self.front_end()
        await ready(person)
        return person

    async def confirmed(self) -> OtherFrontEnd:
        """Ada, signed in and stepped up."""
        person = await self.signed_in()
        await ready(person, step_up=True)
        return person

    async def admin(self, method: str, path: str, body: object = None) -> Any:
        """Turn one of the tenant's switches."""
        person = await self.front_end()
        async with person.session.request(method, f"{self.tenant_url}/admin{path}", json=body) as response:
            assert response.status < 300, await response.text()
            return await response.json() if response.content_type == "application/json" else None

    async def asked(self, point: str) -> int:
        """How often the tenant was asked for something."""
        return len(await self.admin("GET", f"/requests?point={point}"))

    def forward(self, seconds: float) -> None:
        """Let time pass for the gateway and the tenant."""
        self.clock.now += seconds
        self.tenant_clock.now += seconds

    async def keys(self) -> list[str]:
        """Every key in Valkey, but for counts and what is known of the authority: they are of no person and no flow."""
        keys = [key.decode() async for key in self.redis.scan_iter()]
        return sorted(key for key in keys if not key.startswith(("stepup:known-good:", "stepup:rate:")))

    async def begin_again(self) -> None:
        """Sign everybody out and mend everything, for the next row of a table; no other world may be on the Valkey.

        What gateway and API know of the authority stays, and so does the time.
        """
        await self.close()
        await self.admin("POST", "/reset")
        await self.redis.flushall()

    async def close(self) -> None:
        """Send everyone home."""
        await self._people.aclose()


async def ready(person: OtherFrontEnd, *, step_up: bool = False) -> None:
    """Sign in or step up as set-up: once more where this computer held a part up for longer than the gateway waits."""
    for _ in range(3):
        try:
            way = await (person.step_up(STEP_UP) if step_up else person.sign_in())
        except NoFlow as refused:
            way = str(refused)
        if way == "/edit":
            return
        assert "session-store-unavailable" in way or "authority-unavailable" in way, way
    raise AssertionError("Valkey or the tenant does not answer")


@pytest.fixture(scope="session")
def signing_keys() -> Callable[[], SigningKey]:
    """Hand out keys from a small stock, made where the first tests ask: each takes a tenth of a second."""
    stock = itertools.cycle(generate_key() for _ in range(6))
    return lambda: next(stock)


@asynccontextmanager
async def served(
    app: web.Application, port: int, host: str = "127.0.0.1", *, service: str = ""
) -> AsyncIterator[None]:
    """Serve an application while the block runs; one of our services as it is served in production."""
    runner = (
        QuietRunner(app, service=service, drain_seconds=0.2)
        if service
        else web.AppRunner(app, shutdown_timeout=0.2)
    )
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    try:
        yield
    finally:
        await runner.cleanup()


def gateway_settings(*, sealed_with: str = "", **changed: str) -> Settings:
    """Return settings as an operator would give them, some changed.

    `sealed_with` are the sealing keys of records that an older release left: those that it took and this one refuses.
    """
    settings = load_settings(Settings, gateway_environment(changed), PREFIX)
    return settings.model_copy(update={"sealing_keys": SecretStr(sealed_with)}) if sealed_with else settings


@asynccontextmanager
async def worlds(
    valkey: str, signing_keys: Callable[[], SigningKey]
) -> AsyncIterator[Callable[..., Awaitable[World]]]:
    """Give a maker of worlds, which end with the block; settings may be changed by NAME, those of the API by api_NAME.

    `authority_seconds` is how long the gateway waits for the answer to a token request. For Redis it waits as long as
    in production where REDIS_URL is given, so where Redis is what the test is about; else long. With a `network`, the
    gateway goes through it to all that it asks. `api_patience` is the resource API's with Graph, else as in production;
    `graph` is the address of another Graph than the tenant's, `tenant_file` what the tenant starts with.
    `trail` and `api_trail` are where the audit trails go. The clock of Redis moves with that of the world, unless
    gateways are to hear the time `by_redis`; `new_gateway(ahead=…)` makes one whose own clock is so far ahead.
    """
    async with AsyncExitStack() as everything:

        async def make(
            *,
            authority_seconds: float = ANSWER_SECONDS,
            stream_limits: StreamLimits = STREAM_LIMITS,
            profile_patience: ProfilePatience = PATIENCE_OF_PROFILES,
            admission_wait: float = WAIT_SECONDS,
            network: Network | None = None,
            api_patience: Patience | None = None,
            graph: str = "",
            by_redis: bool = False,
            trail: Trail | None = None,
            api_trail: Trail | None = None,
            tenant_file: Path = BUNDLED,
            **given: str,
        ) -> World:
            changed = {name: value for name, value in given.items() if not name.startswith("api_")}
            changed_api = {name[4:]: value for name, value in given.items() if name.startswith("api_")}
            ports = [free_port() for _ in range(3)]
            gateway_url = f"http://localhost:{ports[0]}"
            tenant_url, api_url = (f"http://127.0.0.1:{port}" for port in ports[1:])
            hosts = (
                f"stepuplocal.ciamlogin.com={tenant_url},graph.microsoft.com={graph}" if graph else tenant_url
            )
            clock, tenant_clock = MovableClock(time.time()), MovableClock(time.time())
            values = {
                "GATEWAY_URL": changed.get("PUBLIC_URL", gateway_url),
                "GATEWAY_SECRET": GATEWAY_SECRET,
                "GATEWAY_CERTIFICATE": "",
                "API_SECRET": API_SECRET,
                "API_CERTIFICATE": "",
            }
            contents, keys = load(tenant_file, values), KeyRing(signing_keys)
            tenant = create_tenant(contents, public_url=tenant_url, clock=tenant_clock, keys=keys)
            api = create_api(
                load_settings(
                    ApiSettings,
                    {
                        "RESOURCE_API_TENANT_SUBDOMAIN": "stepuplocal",
                        "RESOURCE_API_TENANT_ID": TENANT_ID,
                        "RESOURCE_API_CLIENT_ID": API,
                        "RESOURCE_API_CLIENT_SECRET": API_SECRET,
                        "RESOURCE_API_ALLOWED_CLIENTS": GATEWAY,
                        "RESOURCE_API_AUTHORITY_MAP": hosts,
                        "RESOURCE_API_CA_BUNDLE": ONE_CERTIFICATE,
                        **{API_PREFIX + name: value for name, value in changed_api.items()},
                    },
                    API_PREFIX,
                ),
                patience=api_patience,
                now=clock,
                trail=api_trail,
            )

            async def new_gateway(
                network: Network | None = None, ahead: float | None = None, **again: str
            ) -> World:
                own = clock if ahead is None else MovableClock(clock.now + ahead)
                port = free_port() if running or "PORT" in changed else ports[0]
                through = network.lead_to(redis=valkey, authority=tenant_url, api=api_url) if network else {}
                settings = gateway_settings(
                    **{
                        "PUBLIC_URL": gateway_url,
                        "REDIS_URL": valkey,
                        "AUTHORITY_MAP": hosts,
                        "RESOURCE_API_URL": api_url,
                        # A test asks faster than any person, and more often the faster the computer is.
                        "JOURNEYS_PER_MINUTE": "100000",
                        **changed,
                        **again,
                        **through,
                    }
                )
                app = create_app(
                    settings,
                    now=own,
                    monotonic=clock,
                    redis_clock=None if by_redis else ClockOfRedis(clock),
                    authority_seconds=authority_seconds,
                    redis_limits=LIMITS if "REDIS_URL" in changed else PATIENT,
                    stream_limits=stream_limits,
                    profile_patience=profile_patience,
                    admission_wait=admission_wait,
                    spa=CLIENT,
                    trail=trail,
                )
                life = AsyncExitStack()
                running.append(port)
                life.callback(running.remove, port)
                await life.enter_async_context(served(app, port, "localhost", service="gateway"))
                everything.push_async_callback(life.aclose)
                url, stop = f"http://localhost:{port}", life.aclose
                world = World(url, tenant_url, api_url, redis, own, tenant_clock, app, new_gateway, stop)
                everything.push_async_callback(world.close)
                return world

            running: list[int] = []
            redis = Redis.from_url(valkey, socket_timeout=PATIENCE)
            everything.push_async_callback(redis.aclose)
            await everything.enter_async_context(served(tenant, ports[1]))
            await everything.enter_async_context(served(api, ports[2], service="resource_api"))
            return await new_gateway(network)

        yield make


@pytest.fixture
async def make_world(
    valkey: str, signing_keys: Callable[[], SigningKey]
) -> AsyncIterator[Callable[..., Awaitable[World]]]:
    """Give a maker of worlds that end with the test."""
    async with worlds(valkey, signing_keys) as make:
        yield make


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]]) -> World:
    """Give a world with everything as configured."""
    return await make_world()
