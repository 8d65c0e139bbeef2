"""What open pages hear, on each way to run Redis (L15): pushed where Redis lets us, and found by looking where not."""

import re
import secrets

import pytest

from gateway.app_keys import METRICS
from gateway.session.event_streams import StreamLimits
from tests.product.listeners import QUICK, listening, pushed
from tests.real.redis.clusters import Clusters
from tests.real.redis.conftest import MakeWorld, back
from tests.real.redis.servers import Servers, until
from tests.real.redis.test_least_rights import admit, refused
from tests.real.redis.watched_pair import WatchedPair
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.world import World

PASSWORD = secrets.token_urlsafe(12)
RARELY = StreamLimits(look=1, rarely=3600, life=100_000)
ENDED = ("session-ended", {"reason": "ended-elsewhere"})


async def hears_an_end(world: World, ada: OtherFrontEnd) -> None:
    """Assert that a stream hears that its session is ended from another browser."""
    elsewhere = await world.signed_in()
    async with listening(ada) as stream:
        await stream.next()
        await pushed(world)
        assert (await elsewhere.call("DELETE", "/api/sessions")).status == 200
        event = await stream.event()
    assert (event.event, event.data) == ENDED


async def test_L15_the_documented_rights_are_enough_to_be_told(
    servers: Servers, make_world: MakeWorld
) -> None:
    one = servers.one()
    admit(one, PASSWORD)
    world = await make_world(
        stream_limits=RARELY, REDIS_URL=f"redis://stepup:{PASSWORD}@127.0.0.1:{one.port}/0"
    )

    await hears_an_end(world, await world.signed_in())

    assert refused(one) == [], "nothing was ever refused"


@pytest.mark.parametrize("missing", ["resetchannels", "-publish", "-subscribe"])
async def test_L15_without_the_right_to_it_streams_look_and_one_line_says_so(
    servers: Servers, make_world: MakeWorld, caplog: pytest.LogCaptureFixture, missing: str
) -> None:
    one = servers.one()
    admit(one, PASSWORD)
    one.ask("ACL", "SETUSER", "stepup", missing)
    world = await make_world(
        stream_limits=QUICK, REDIS_URL=f"redis://stepup:{PASSWORD}@127.0.0.1:{one.port}/0"
    )
    ada, elsewhere = await world.confirmed(), await world.signed_in()

    async with listening(ada) as stream:
        await stream.next()
        assert (await elsewhere.call("DELETE", "/api/sessions")).body == {"ended": 1}
        event = await stream.event()
    assert (await elsewhere.call("POST", "/auth/sign-out")).status == 200

    assert (event.event, event.data) == ENDED
    told = [record for record in caplog.records if re.match("events-", record.message)]
    assert [record.message for record in told] == ["events-polled"]
    assert "stepup_events_pushed 0.0" in world.app[METRICS].drawn().decode()


async def test_L15_after_redis_has_restarted_events_are_pushed_again(
    servers: Servers, make_world: MakeWorld
) -> None:
    one = servers.one({"appendonly": "yes", "appendfsync": "always"})
    world = await make_world(stream_limits=RARELY, REDIS_URL=one.url)
    ada, elsewhere = await world.signed_in(), await world.signed_in()

    async with listening(ada) as stream:
        await stream.next()
        await pushed(world)
        one.kill()
        one.start()
        await back(lambda: elsewhere.call("GET", "/api/session/claims"))
        assert (await back(lambda: elsewhere.call("DELETE", "/api/sessions"))).status == 200
        event = await stream.event()
        await pushed(world)
    assert (event.event, event.data) == ENDED


async def test_L15_a_subscriber_that_redis_cut_off_for_its_full_buffer_comes_back(
    servers: Servers, make_world: MakeWorld
) -> None:
    one = servers.one({"client-output-buffer-limit": "pubsub 64kb 32kb 1"})
    world = await make_world(stream_limits=RARELY, REDIS_URL=one.url)
    ada = await world.signed_in()
    async with listening(ada) as stream:
        await stream.next()
        await pushed(world)
        before = one.info("stats")["client_output_buffer_limit_disconnections"]
        one.ask("PUBLISH", "stepup:hints", "x" * 20_000_000)
        until(
            lambda: one.info("stats")["client_output_buffer_limit_disconnections"] > before,
            one.log,
        )

    await hears_an_end(world, ada)


async def test_L15_after_a_failover_events_are_pushed_by_the_new_master(
    servers: Servers, make_world: MakeWorld
) -> None:
    pair = WatchedPair(servers)
    world = await make_world(stream_limits=RARELY, REDIS_URL=pair.url)
    ada, elsewhere = await world.signed_in(), await world.signed_in()

    async with listening(ada) as stream:
        await stream.next()
        await pushed(world)
        async with pair.failing_over():
            await back(lambda: elsewhere.call("PATCH", "/api/profile", {"city": "Turin"}))
        await pushed(world)
        assert (await back(lambda: elsewhere.call("DELETE", "/api/sessions"))).status == 200
        event = await stream.event()
    assert (event.event, event.data) == ENDED


async def test_L15_events_are_pushed_in_a_cluster_whoever_is_asked(
    servers: Servers, make_world: MakeWorld
) -> None:
    cluster = Clusters(servers).take()
    url = f"redis+cluster://:{cluster[0].password}@127.0.0.1:{cluster[0].port}"
    world = await make_world(stream_limits=RARELY, REDIS_URL=url)

    for _ in range(3):
        await hears_an_end(world, await world.signed_in())
