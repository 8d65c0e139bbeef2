"""Redis behind TLS, as a user with the rights that docs/how-to/redis.md names (S34), and what rotates (R22)."""

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.exceptions import NoPermissionError

from devstack.tls_redis import WHY_NONE, tls_server
from tests.real.redis.certificates import Authority
from tests.real.redis.clusters import Clusters
from tests.real.redis.conftest import MakeWorld, back, refused_honestly
from tests.real.redis.servers import RedisServer, Servers
from tests.real.redis.stories import the_limit_of_sessions, the_story
from tests.stage.ports import free_port
from tests.stage.sources import ROOT

DOCUMENT = (ROOT / "docs/how-to/redis.md").read_text(encoding="utf-8")
DOCUMENTED = re.search(r"^user stepup on >PASSWORD (.*)$", DOCUMENT, re.MULTILINE)
PASSWORD = secrets.token_urlsafe(12)


def rights() -> list[str]:
    """Return the documented rights."""
    assert DOCUMENTED
    return DOCUMENTED[1].split()


def admit(server: RedisServer, password: str = PASSWORD) -> None:
    """Make the documented user."""
    server.ask("ACL", "SETUSER", "stepup", "on", f">{password}", *rights())


def refused(server: RedisServer) -> list[str]:
    """Return what the server refused anybody, but for what a start may be refused: to read the eviction policy."""
    entries = [dict(zip(entry[::2], entry[1::2], strict=True)) for entry in server.ask("ACL", "LOG")]
    return [str(entry["object"]) for entry in entries if entry["object"] not in {"info", "config|get"}]


async def test_S34_the_story_with_the_documented_rights(servers: Servers, make_world: MakeWorld) -> None:
    one = servers.one()
    admit(one)

    url = f"redis://stepup:{PASSWORD}@127.0.0.1:{one.port}/0"
    world = await make_world(REDIS_URL=url, MAX_SESSIONS_PER_PERSON="2")
    await the_story(world)
    await the_limit_of_sessions(world)

    assert refused(one) == [], "nothing was ever refused"


async def test_S34_the_story_with_the_documented_rights_on_a_cluster(
    servers: Servers, make_world: MakeWorld
) -> None:
    more = re.search(r"`([^`]*)` for Cluster", DOCUMENT)
    assert more
    cluster = Clusters(servers).take()
    for node in cluster:
        admit(node)
        node.ask("ACL", "SETUSER", "stepup", *more[1].split())

    await the_story(
        await make_world(REDIS_URL=f"redis+cluster://stepup:{PASSWORD}@127.0.0.1:{cluster[0].port}")
    )

    assert [refused(node) for node in cluster] == [[]] * 3


@pytest.mark.parametrize(
    "command",
    [
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("CONFIG", "GET", "requirepass"),
        ("FLUSHALL",),
        ("FLUSHDB",),
        ("ACL", "LIST"),
        ("CLIENT", "LIST"),
        ("REPLICAOF", "NO", "ONE"),
        ("SHUTDOWN",),
        ("SCRIPT", "FLUSH"),
        ("INFO",),
        ("MONITOR",),
        ("GET", "other:key"),
        ("SET", "stepu", "x"),
        ("SET", "{stepup:}x", "x"),
        ("EVAL", "return redis.call('GET', KEYS[1])", "1", "other:key"),
        ("EVAL", "return redis.call('GET', 'other:key')", "0"),
        ("EVAL", "return redis.call('FLUSHALL')", "0"),
        ("PUBLISH", "anything", "x"),
    ],
    ids=" ".join,
)
def test_S34_everything_else_is_refused(shared: RedisServer, command: tuple[str, ...]) -> None:
    with redis.Redis(port=shared.port, username="stepup", password=PASSWORD, protocol=2) as client:
        client.set("stepup:mine", "x", ex=5)
        with pytest.raises(redis.ResponseError) as refused:
            client.execute_command(*command)

    assert isinstance(refused.value, NoPermissionError) or "ACL" in str(refused.value), refused.value


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    servers = Servers(tmp_path_factory.mktemp("shared"))
    server = servers.one()
    admit(server)
    yield server
    servers.close()


class TlsRedis:
    """A server that speaks TLS on a second port."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        binary = tls_server(os.environ)
        if binary is None:
            pytest.skip(WHY_NONE)
        self.folder = folder
        self.port = free_port()
        self.server = servers.one(
            binary=binary,
            settings={
                "tls-port": str(self.port),
                "tls-auth-clients": "no",
                **Authority("first").server(folder),
            },
        )
        self.bundle = folder / "trusted.pem"
        self.bundle.write_bytes((folder / "ca.pem").read_bytes())
        self.password_file = folder / "password"
        self.password_file.write_text(PASSWORD + "\n")

    def settings(self, host: str = "127.0.0.1") -> dict[str, str]:
        """Return the gateway's settings."""
        return {
            "REDIS_URL": f"rediss://stepup@{host}:{self.port}/0",
            "REDIS_PASSWORD_FILE": str(self.password_file),
            "REDIS_CA_BUNDLE": str(self.bundle),
        }


@pytest.fixture
def tls_redis(servers: Servers, tmp_path: Path) -> TlsRedis:
    server = TlsRedis(servers, tmp_path)
    admit(server.server)
    return server


async def test_S34_the_story_by_tls_with_a_password_from_a_file(
    tls_redis: TlsRedis, make_world: MakeWorld
) -> None:
    await the_story(await make_world(**tls_redis.settings()))


async def test_S34_a_server_that_is_not_ours_is_not_believed(
    tls_redis: TlsRedis, make_world: MakeWorld
) -> None:
    by_another_name = await make_world(**tls_redis.settings("localhost"))
    ada = await by_another_name.front_end()
    await refused_honestly(ada.call("GET", "/health/ready"))

    tls_redis.bundle.write_bytes(Authority("another").pem)
    of_another_authority = await make_world(**tls_redis.settings())
    ada = await of_another_authority.front_end()
    await refused_honestly(ada.call("GET", "/health/ready"))


async def test_R22_password_and_authority_change_while_the_gateway_runs(
    tls_redis: TlsRedis, make_world: MakeWorld
) -> None:
    server = tls_redis.server
    world = await make_world(**tls_redis.settings())
    ada = await world.confirmed()
    cookie = ada.cookie()

    fresh = secrets.token_urlsafe(12)
    server.ask("ACL", "SETUSER", "stepup", f">{fresh}")
    tls_redis.password_file.write_text(fresh)
    server.ask("ACL", "SETUSER", "stepup", f"<{PASSWORD}")
    server.ask("CLIENT", "KILL", "USER", "stepup")
    assert (await ada.call("GET", "/api/profile")).status == 200, "not one request notices"

    second = Authority("second")
    second.server(tls_redis.folder)
    for name in ("tls-cert-file", "tls-key-file"):
        server.ask("CONFIG", "SET", name, server.ask("CONFIG GET", name)[name])  # reads the file again
    tls_redis.bundle.write_bytes(second.pem)
    server.ask("CLIENT", "KILL", "USER", "stepup")
    assert (await back(lambda: ada.call("GET", "/api/profile"))).status == 200
    assert ada.cookie() == cookie
