"""TLS to every server of a set-up (S34), and authorities that change while the gateway runs (R22)."""

import os
from pathlib import Path

import pytest

from devstack.tls_redis import WHY_NONE, tls_server
from tests.real.redis.certificates import Authority
from tests.real.redis.conftest import MakeWorld, back, is_kept, refused_honestly
from tests.real.redis.servers import Servers, until
from tests.real.redis.stories import the_story
from tests.real.redis.watched_pair import WatchedPair


@pytest.fixture
def binary() -> str:
    server = tls_server(os.environ)
    if server is None:
        pytest.skip(WHY_NONE)
    return server


async def test_S34_the_story_with_tls_to_master_and_sentinel(
    servers: Servers, binary: str, tmp_path: Path, make_world: MakeWorld
) -> None:
    pair = WatchedPair(servers, binary=binary, tls=Authority("ours").server(tmp_path))
    world = await make_world(
        REDIS_URL=pair.url, REDIS_CA_BUNDLE=str(tmp_path / "ca.pem"), REDIS_WAIT_REPLICAS="1"
    )
    await the_story(world)
    ada = await world.confirmed()
    cookie = ada.cookie()

    async with pair.failing_over():
        saved = await back(lambda: ada.call("PATCH", "/api/profile", {"city": "Rome"}))
    assert (saved.status, saved.body["city"]) == (200, "Rome")
    await is_kept(ada, cookie)


async def test_S34_a_sentinel_that_is_not_ours_is_not_believed(
    servers: Servers, binary: str, tmp_path: Path, make_world: MakeWorld
) -> None:
    pair = WatchedPair(servers, binary=binary, tls=Authority("theirs").server(tmp_path))
    bundle = tmp_path / "trusted.pem"
    bundle.write_bytes(Authority("ours").pem)

    world = await make_world(REDIS_URL=pair.url, REDIS_CA_BUNDLE=str(bundle))

    await refused_honestly((await world.front_end()).call("GET", "/health/ready"))


async def test_R22_the_authority_of_master_and_sentinel_changes_while_the_gateway_runs(
    servers: Servers, binary: str, tmp_path: Path, make_world: MakeWorld
) -> None:
    pair = WatchedPair(servers, binary=binary, tls=Authority("first").server(tmp_path))
    bundle = tmp_path / "trusted.pem"
    bundle.write_bytes((tmp_path / "ca.pem").read_bytes())
    world = await make_world(REDIS_URL=pair.url, REDIS_CA_BUNDLE=str(bundle))
    ada = await world.confirmed()
    cookie = ada.cookie()

    second = Authority("second")
    second.server(tmp_path)
    pair.sentinel.kill()
    bundle.write_bytes(second.pem)
    pair.sentinel.start()
    for name in ("tls-ca-cert-file", "tls-cert-file", "tls-key-file"):
        pair.master.ask(
            "CONFIG", "SET", name, pair.master.ask("CONFIG GET", name)[name]
        )  # reads the file again
    pair.master.ask("CLIENT", "KILL", "TYPE", "normal")

    assert (await back(lambda: ada.call("GET", "/api/profile"))).status == 200
    await is_kept(ada, cookie)


async def test_S34_R22_a_cluster_with_tls_and_an_authority_that_changes(
    servers: Servers, binary: str, tmp_path: Path, make_world: MakeWorld
) -> None:
    one = servers.one(
        {"cluster-enabled": "yes", "tls-cluster": "yes"},
        binary=binary,
        tls=Authority("first").server(tmp_path),
    )
    one.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
    until(lambda: "cluster_state:ok" in one.ask("CLUSTER", "INFO"), one.log)
    bundle = tmp_path / "trusted.pem"
    bundle.write_bytes((tmp_path / "ca.pem").read_bytes())
    url = f"rediss+cluster://:{one.password}@127.0.0.1:{one.tls_port}"
    world = await make_world(REDIS_URL=url, REDIS_CA_BUNDLE=str(bundle))
    await the_story(world)
    ada = await world.confirmed()

    second = Authority("second")
    second.server(tmp_path)
    bundle.write_bytes(second.pem)
    for name in ("tls-ca-cert-file", "tls-cert-file", "tls-key-file"):
        one.ask("CONFIG", "SET", name, one.ask("CONFIG GET", name)[name])
    one.ask("CLIENT", "KILL", "TYPE", "normal")

    assert (await back(lambda: ada.call("GET", "/api/profile"))).status == 200
