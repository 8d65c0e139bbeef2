"""What operators see and do: several workers, the side port, and signing a person out everywhere."""

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from servicekit.version import VERSION
from tests.stage.operator_settings import sealing_key
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.tenant import EDIT, GATEWAY, GATEWAY_SECRET, TENANT_ID
from tests.stage.world import SEALING_KEY, World


def environment(world: World, valkey: str, port: int, **more: str) -> dict[str, str]:
    """What a gateway process of its own needs to join this world."""
    variables = {
        "TENANT_SUBDOMAIN": "stepuplocal",
        "TENANT_ID": TENANT_ID,
        "CLIENT_ID": GATEWAY,
        "CLIENT_SECRET": GATEWAY_SECRET,
        "EDIT_PROFILE_SCOPE": EDIT,
        "SEALING_KEYS": SEALING_KEY,
        "REDIS_URL": valkey,
        "AUTHORITY_MAP": world.tenant_url,
        "RESOURCE_API_URL": world.api_url,
        "PUBLIC_URL": world.gateway_url,
        "PORT": str(port),
        "SHUTDOWN_DELAY_SECONDS": "0",
        **more,
    }
    return {**os.environ, **{f"GATEWAY_{name}": value for name, value in variables.items()}}


@asynccontextmanager
async def process(settings: dict[str, str], *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python -m gateway` while the block runs."""
    run = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        *arguments,
        env=settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield run
    finally:
        if run.returncode is None:
            run.terminate()
            await asyncio.wait_for(run.communicate(), PATIENCE)


async def answers(url: str) -> aiohttp.ClientResponse:
    """Ask until somebody answers."""
    async with aiohttp.ClientSession() as session:
        for _ in range(10 * PATIENCE):
            try:
                async with session.get(url) as answer:
                    await answer.read()
                    return answer
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
    raise AssertionError(f"nobody answers at {url}")


async def test_two_workers_share_a_port_and_the_sessions(world: World, valkey: str) -> None:
    ada, port = await world.signed_in(), free_port()
    admin = free_port()
    async with process(environment(world, valkey, port, WORKERS="2", ADMIN_PORT=str(admin))) as run:
        await answers(f"http://127.0.0.1:{port}/health/live")
        cookie = {"Cookie": f"__Host-Http-session={ada.cookie()}", "Connection": "close"}
        there = OtherFrontEnd(ada.session, f"http://127.0.0.1:{port}", world.tenant_url)

        profiles = [await there.call("GET", "/api/profile", headers=cookie) for _ in range(8)]

        assert [one.status for one in profiles] == [200] * 8
        beside = await answers(f"http://127.0.0.1:{admin}/health/ready")
        assert beside.status == 200
        run.terminate()
        assert await asyncio.wait_for(run.wait(), PATIENCE) == 0


async def test_L7_the_log_says_which_worker_was_killed_and_the_gateway_goes_on(
    world: World, valkey: str
) -> None:
    port = free_port()
    async with process(environment(world, valkey, port, WORKERS="2")) as run:
        await answers(f"http://127.0.0.1:{port}/health/live")
        assert run.stderr
        serving = await asyncio.wait_for(run.stderr.readuntil(b'"event": "worker-serving"'), PATIENCE)
        serving += await asyncio.wait_for(run.stderr.readuntil(b"\n"), PATIENCE)
        (told,) = [json.loads(line) for line in serving.decode().splitlines() if "worker-serving" in line]
        os.kill(told["pid"], signal.SIGKILL)
        logged = await asyncio.wait_for(run.stderr.readuntil(b'"event": "worker-ended"'), PATIENCE)
        assert (await answers(f"http://127.0.0.1:{port}/health/live")).status == 200
        run.terminate()
        logged += (await asyncio.wait_for(run.communicate(), PATIENCE))[1]

    assert run.returncode == 0
    ended = [json.loads(line) for line in logged.decode().splitlines() if "worker-ended" in line]
    assert [line["exit_code"] for line in ended] == [-signal.SIGKILL], logged


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_L8_a_sealing_key_from_a_file_is_taken_up_at_hangup_in_every_worker(
    world: World, valkey: str, tmp_path: Path, workers: str
) -> None:
    ada, port, keys = await world.signed_in(), free_port(), tmp_path / "keys"
    other = sealing_key("other")
    keys.write_text(other, encoding="utf-8")
    given = {"SEALING_KEYS": "", "SEALING_KEYS_FILE": str(keys), "WORKERS": workers}
    async with process(environment(world, valkey, port, **given)) as run:
        assert run.stderr
        for _ in range(int(workers) if workers != "1" else 0):
            await asyncio.wait_for(run.stderr.readuntil(b'"event": "worker-serving"'), PATIENCE)
        await answers(f"http://127.0.0.1:{port}/health/ready")
        cookie = {"Cookie": f"__Host-Http-session={ada.cookie()}", "Connection": "close"}
        there = OtherFrontEnd(ada.session, f"http://127.0.0.1:{port}", world.tenant_url)
        assert (await there.call("GET", "/api/profile", headers=cookie)).status == 401

        keys.write_text(f"{other},{SEALING_KEY}", encoding="utf-8")
        run.send_signal(signal.SIGHUP)
        for _ in range(int(workers)):
            await asyncio.wait_for(
                run.stderr.readuntil(b'"event": "reloaded", "changed": ["sealing_keys"]'), PATIENCE
            )

        told = [await there.call("GET", "/api/profile", headers=cookie) for _ in range(8)]
        assert [one.status for one in told] == [200] * 8


async def test_U34_details_of_readiness_are_beside_and_not_on_the_public_port(
    world: World, valkey: str
) -> None:
    port, admin = free_port(), free_port()
    async with process(environment(world, valkey, port, ADMIN_PORT=str(admin))):
        beside = await answers(f"http://127.0.0.1:{admin}/health/ready")
        details = await beside.json()
        public = await answers(f"http://127.0.0.1:{port}/health/ready")

    assert details["status"] == "ready"
    assert (details["redis"], details["authority"]) == ("usable", "usable")
    assert details["version"] == VERSION
    assert await public.json() == {"status": "ready"}


async def test_S22_the_command_signs_a_person_out_everywhere(world: World, valkey: str) -> None:
    here, there = await world.signed_in(), await world.signed_in()
    oid = (await here.call("GET", "/api/session")).body["user"]["id"]

    async with process(environment(world, valkey, free_port()), "end-sessions", oid) as run:
        output, _ = await asyncio.wait_for(run.communicate(), PATIENCE)

    assert (run.returncode, output.decode()) == (0, "2 sessions ended.\n")
    for one in (here, there):
        gone = await one.call("GET", "/api/profile")
        assert (gone.status, gone.body["reason"]) == (401, "ended-by-operator")


@pytest.mark.parametrize("command", [["end-sessions"], ["unknown"]])
async def test_a_command_that_is_none_says_how_it_is_used(
    world: World, valkey: str, command: list[str]
) -> None:
    async with process(environment(world, valkey, free_port()), *command) as run:
        _, output = await asyncio.wait_for(run.communicate(), PATIENCE)

    assert run.returncode == 2
    assert "usage: python -m gateway" in output.decode()


@pytest.mark.parametrize(
    "named", ["grace@example.com", "Grace Hopper", "5b0e2f4a8c1d4e7b9f36a1c2d3e4f501", "*", "", "{GUID}"]
)
async def test_F6_who_is_named_by_anything_but_an_object_id_is_not_said_to_be_signed_out(
    world: World, valkey: str, named: str
) -> None:
    async with process(environment(world, valkey, free_port()), "end-sessions", named) as run:
        output, beside = await asyncio.wait_for(run.communicate(), PATIENCE)

    assert (run.returncode, output) == (2, b"")
    assert f"{named!r} is no object id" in beside.decode()
    assert "nobody was signed out" in beside.decode()
    assert "Object ID" in beside.decode()


async def test_F6_an_object_id_in_capitals_is_the_same_person(world: World, valkey: str) -> None:
    ada = await world.signed_in()
    oid = (await ada.call("GET", "/api/session")).body["user"]["id"]

    async with process(environment(world, valkey, free_port()), "end-sessions", oid.upper()) as run:
        output, _ = await asyncio.wait_for(run.communicate(), PATIENCE)

    assert (run.returncode, output.decode()) == (0, "1 session ended.\n")


async def test_without_redis_the_command_says_that_nobody_was_signed_out(world: World) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}"
    async with process(environment(world, nowhere, free_port()), "end-sessions", str(uuid.uuid4())) as run:
        _, output = await asyncio.wait_for(run.communicate(), PATIENCE)

    assert run.returncode == 1
    assert "nobody was signed out" in output.decode()
