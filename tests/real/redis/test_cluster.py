"""Cluster (R5, R8): the whole story, a master that is lost, with a replica and without, and slots that move."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.exceptions import RedisError

from gateway.doctor.redis_server import EVICTION, RECORDS, REDIS, VERSION, look_at_redis
from gateway.session.cookie import SessionCookie
from gateway.store.redis.cluster import GuardedCluster
from gateway.store.redis.connection import redis_client
from gateway.store.redis.script_calls import ScriptCall
from servicekit.doctor.findings import Status
from tests.real.redis.clusters import SLOTS_EACH, Clusters, lost, move
from tests.real.redis.conftest import MakeWorld, back, in_use, is_kept, promised
from tests.real.redis.servers import RedisServer, Servers, until
from tests.real.redis.stories import the_limit_of_sessions, the_story
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.witnesses import with_cookie
from tests.stage.world import World, gateway_settings


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """Give clusters, of which the next one comes up beside the tests."""
    servers = Servers(tmp_path_factory.mktemp("clusters"))
    try:
        yield Clusters(servers)
    finally:
        servers.close()


@pytest.fixture(scope="module")
def calm(clusters: Clusters) -> list[RedisServer]:
    """Give one that all tests share which leave it whole."""
    return clusters.take()


@pytest.fixture
def cluster(clusters: Clusters) -> list[RedisServer]:
    """Give one that a test may break."""
    return clusters.take()


def url_of(cluster: list[RedisServer]) -> str:
    nodes = ",".join(f"127.0.0.1:{node.port}" for node in cluster)
    return f"redis+cluster://:{cluster[0].password}@{nodes}"


def key_of(person: OtherFrontEnd) -> str:
    cookie = SessionCookie.parse(person.cookie())
    assert cookie is not None
    return cookie.ref.key


def slot_of(cluster: list[RedisServer], person: OtherFrontEnd) -> int:
    slot: int = cluster[0].ask("CLUSTER", "KEYSLOT", key_of(person))
    return slot


def server_of(cluster: list[RedisServer], person: OtherFrontEnd) -> RedisServer:
    return cluster[slot_of(cluster, person) // SLOTS_EACH]


async def person_at(world: World, cluster: list[RedisServer], server: RedisServer) -> OtherFrontEnd:
    """Let people sign in until the session of one lies on a server."""
    for _ in range(60):
        person = await world.signed_in()
        if server_of(cluster, person) is server:
            return person
    raise AssertionError("sessions do not spread")


async def test_A2_A4_R8_the_limit_of_sessions_on_a_cluster(
    calm: list[RedisServer], make_world: MakeWorld
) -> None:
    await the_limit_of_sessions(await make_world(REDIS_URL=url_of(calm), MAX_SESSIONS_PER_PERSON="2"))


async def test_R8_the_story_on_a_cluster_of_three(calm: list[RedisServer], make_world: MakeWorld) -> None:
    world = await make_world(REDIS_URL=url_of(calm))

    await the_story(world)
    people = [await world.signed_in() for _ in range(6)]

    assert sum(node.ask("DBSIZE") > 0 for node in calm) >= 2, "records spread over the masters"
    answers = await asyncio.gather(*(person.call("GET", "/api/profile") for person in people))
    assert {answer.status for answer in answers} == {200}


async def test_the_doctor_looks_at_each_server_of_a_cluster(calm: list[RedisServer]) -> None:
    findings = {one.check: one for one in await look_at_redis(gateway_settings(REDIS_URL=url_of(calm[:1])))}

    assert all(findings[check].status is Status.OK for check in (REDIS, RECORDS, VERSION, EVICTION))
    calm[2].ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    (finding,) = [
        one
        for one in await look_at_redis(gateway_settings(REDIS_URL=url_of(calm[:1])))
        if one.check == EVICTION
    ]
    calm[2].ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert finding.status is not Status.OK, "one of three is enough"


async def test_R5_without_replicas_nobody_can_confirm_a_sign_out(
    calm: list[RedisServer], make_world: MakeWorld
) -> None:
    careful = await make_world(REDIS_URL=url_of(calm), REDIS_WAIT_REPLICAS="1")
    leaving = await careful.signed_in()

    answer = await promised(leaving.call("POST", "/auth/sign-out"))

    assert (answer.status, answer.body["confirmed"]) == (503, False)


@pytest.mark.parametrize("silent", [True, False], ids=["silent", "gone"])
async def test_R8_a_master_that_is_lost_costs_only_its_own_people(
    cluster: list[RedisServer], make_world: MakeWorld, *, silent: bool
) -> None:
    # More than it takes to find people at each server, who are one person.
    world = await make_world(REDIS_URL=url_of(cluster), MAX_SESSIONS_PER_PERSON="100")
    theirs = [await person_at(world, cluster, cluster[2]) for _ in range(3)]
    ours = [await person_at(world, cluster, cluster[number]) for number in (0, 1)]
    cookies = [person.cookie() for person in theirs]

    async with AsyncExitStack() as looking:
        asked = [await looking.enter_async_context(in_use(person)) for person in theirs]
        served = [await looking.enter_async_context(in_use(person)) for person in ours]
        cluster[2].freeze() if silent else cluster[2].kill()
        ready = await back(lambda: ours[0].navigate("/health/ready"))
        await asyncio.to_thread(until, lambda: lost(cluster[2], cluster[:2]), cluster[0].log)
        for looks in (*asked, *served):
            await looks.more(5)

    assert {status for looks in served for status in looks.seen} == {200}, (
        "people of the others notice nothing"
    )
    assert {looks.seen[-1] for looks in asked} == {503}
    assert ready.status == 200, "and no orchestrator takes the gateway away from them"
    assert [person.cookie() for person in theirs] == cookies

    cluster[2].thaw() if silent else cluster[2].start()
    answer = await back(lambda: theirs[0].call("GET", "/api/profile"))
    assert answer.status == (200 if silent else 401), "this server keeps nothing on disk"


async def test_R5_a_cluster_fails_over_and_a_confirmed_sign_out_holds(
    clusters: Clusters, cluster: list[RedisServer], make_world: MakeWorld
) -> None:
    killed = cluster[2]
    heir = clusters.replica_of(killed, cluster)
    world = await make_world(REDIS_URL=url_of(cluster), REDIS_WAIT_REPLICAS="1")
    leaving = await person_at(world, cluster, killed)
    staying = await person_at(world, cluster, killed)
    await staying.step_up("/auth/step-up?action=profile.edit&return_to=/edit")
    left, kept = leaving.cookie(), staying.cookie()
    assert (await leaving.call("POST", "/auth/sign-out")).status == 200, "the replica has it"

    async with in_use(staying) as looks:
        killed.kill()
        for city in ("Turin", "Rome"):
            saved = await back(lambda city=city: staying.call("PATCH", "/api/profile", {"city": city}))  # type: ignore[misc]
            assert (saved.status, saved.body["city"]) == (200, city)
        await looks.more()

    assert heir.info("replication")["role"] == "master"
    assert set(looks.seen) <= {200, 503}, "nobody is signed out"
    assert looks.seen[-1] == 200
    await is_kept(staying, kept)
    late = await back(lambda: with_cookie(world, left))
    assert (late.status, late.body["reason"]) == (401, "signed-out")

    # The old master comes back as a replica, so that ends can be confirmed again, by the new one.
    killed.start()
    until(lambda: heir.info("replication")["connected_slaves"] == 1, killed.log)
    assert (await back(lambda: staying.call("POST", "/auth/sign-out"))).status == 200


async def test_R8_a_session_whose_slot_moves_is_followed(
    calm: list[RedisServer], make_world: MakeWorld
) -> None:
    world = await make_world(REDIS_URL=url_of(calm))
    ada = await person_at(world, calm, calm[0])
    slot, cookie = slot_of(calm, ada), ada.cookie()

    async with in_use(ada) as looks:
        await asyncio.to_thread(move, calm, slot, calm[0], calm[1])
        await looks.more()
    assert await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit") == "/edit"
    saved = await promised(ada.call("PATCH", "/api/profile", {"city": "Rome"}))
    assert (saved.status, saved.body["city"]) == (200, "Rome")
    assert set(looks.seen) == {200}, "not one request notices"
    assert slot_of(calm, ada) == slot
    assert ada.cookie() != cookie
    assert calm[1].ask("EXISTS", key_of(ada)) == 1


async def test_R8_an_end_that_must_be_confirmed_follows_its_slot(
    calm: list[RedisServer], client: Any
) -> None:
    """By itself: in a request something else would have met the redirection before."""
    assert isinstance(client, GuardedCluster)
    await client.set("stepup:{a}", "here", ex=60)
    slot = calm[0].ask("CLUSTER", "KEYSLOT", "stepup:{a}")
    first = calm[slot // SLOTS_EACH]
    second = calm[(calm.index(first) + 1) % 3]
    move(calm, slot, first, second)

    call = ScriptCall("return redis.call('DEL', KEYS[1])", ["stepup:{a}"], [])
    assert await client.run_together((), call, replicas=0) == (1, True, [])
    assert second.ask("EXISTS", "stepup:{a}") == 0


async def test_a_client_that_lost_a_server_leaves_no_connection_open(
    calm: list[RedisServer], client: Any
) -> None:
    assert isinstance(client, GuardedCluster)
    keys = [f"stepup:{number}" for number in range(20)]
    for key in keys:
        await client.set(key, "x", ex=60)
    with calm[2].frozen():
        # All of them to their end: one that still waits would connect again, once the server goes on.
        values = await asyncio.gather(*(client.get(key) for key in keys), return_exceptions=True)
    assert any(isinstance(one, RedisError) for one in values)
    assert all(isinstance(one, RedisError) or one == b"x" for one in values)

    await client.aclose()

    nodes = [*client.nodes_manager.nodes_cache.values(), *client.nodes_manager.startup_nodes.values()]
    assert not any(connection.is_connected for node in nodes for connection in node._connections)


@pytest.fixture
async def client(calm: list[RedisServer]) -> AsyncIterator[Any]:
    connection = redis_client(url_of(calm))
    yield connection
    await connection.aclose()
