"""The audit trail as an operator has it (A6): a file of processes, checked, rotated and handed new settings."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.product.test_operation import answers, environment, process
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.world import World


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return what the lines of a file say."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


async def verified(settings: dict[str, str], *files: Path) -> tuple[str, int | None]:
    """Return what `audit verify` says of the files, and its exit status."""
    async with process(settings, "audit", "verify", *map(str, files)) as run:
        output, _ = await asyncio.wait_for(run.communicate(), PATIENCE)
    return output.decode(), run.returncode


async def test_A6_two_workers_write_one_file_that_proves_to_be_whole(
    world: World, valkey: str, tmp_path: Path
) -> None:
    path, port = tmp_path / "audit.log", free_port()
    settings = environment(world, valkey, port, WORKERS="2", AUDIT_FILE=str(path))
    async with process(settings) as run:
        assert run.stderr
        for _ in range(2):
            async with asyncio.timeout(PATIENCE):
                while b"worker-serving" not in await run.stderr.readline():
                    pass
        nobody = OtherFrontEnd(
            (await world.front_end()).session, f"http://127.0.0.1:{port}", world.tenant_url
        )
        for _ in range(8):
            answer = await nobody.call("GET", "/api/profile", headers={"X-CSRF": "0", "Connection": "close"})
            assert answer.status == 403
        run.terminate()
        await asyncio.wait_for(run.communicate(), PATIENCE)

    lines = await asyncio.to_thread(lines_of, path)
    assert [line["fact"] for line in lines].count("cross-origin-request") == 8
    text, status = await verified(settings, path)
    assert (status, text) == (0, "As it was written: 12 lines in 2 chains.\n")

    await asyncio.to_thread(
        path.write_bytes, path.read_bytes().replace(b'"malicious_csrf"', b'"sensitive_read"', 1)
    )
    text, status = await verified(settings, path)
    assert (status, "was changed" in text) == (1, True)


async def test_A6_without_a_file_the_trail_goes_to_standard_output_and_the_log_does_not(
    world: World, valkey: str
) -> None:
    port = free_port()
    async with process(environment(world, valkey, port)) as run:
        await answers(f"http://127.0.0.1:{port}/health/live")
        run.terminate()
        output, log = await asyncio.wait_for(run.communicate(), PATIENCE)

    assert [json.loads(line)["fact"] for line in output.splitlines()] == ["start", "stop"]
    assert b'"stream":"audit"' not in log


async def test_A6_an_operator_who_signs_somebody_out_is_in_the_trail_and_the_person_sees_it(
    world: World, valkey: str, tmp_path: Path
) -> None:
    path = tmp_path / "audit.log"
    ada, other = await world.signed_in(), await world.signed_in()
    oid = (await ada.call("GET", "/api/session")).body["user"]["id"]
    settings = environment(world, valkey, free_port(), AUDIT_FILE=str(path))

    async with process(settings, "end-sessions", oid) as run:
        await asyncio.wait_for(run.communicate(), PATIENCE)

    lines = await asyncio.to_thread(lines_of, path)
    ended = [line for line in lines if line["fact"] == "session-end"]
    assert [(line["reason"], line["person"]) for line in ended] == [("ended-by-operator", oid)] * 2
    assert (await verified(settings, path))[1] == 0
    await other.sign_in()
    entries = (await other.call("GET", "/api/activity")).body["entries"]
    shown = [one for one in entries if one["event"] == "session-end"]
    assert [(one["reason"], one["sessions"]) for one in shown] == [("ended-by-operator", 2)]


async def test_A6_a_file_that_cannot_be_written_is_told_at_start(
    world: World, valkey: str, tmp_path: Path
) -> None:
    settings = environment(world, valkey, free_port(), AUDIT_FILE=str(tmp_path / "nowhere" / "audit.log"))
    async with process(settings) as run:
        _, log = await asyncio.wait_for(run.communicate(), PATIENCE)

    assert run.returncode == 2
    assert b"GATEWAY_AUDIT_FILE" in log
    assert b"is not a file that can be written" in log
