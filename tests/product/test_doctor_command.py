"""The doctor as a command: what it prints, for people and for programs, and with which status it ends."""

import asyncio
import json

from servicekit.doctor.findings import Finding, Status
from servicekit.doctor.report import drawn
from tests.product.test_operation import environment, process
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.tenant import GATEWAY_SECRET
from tests.stage.world import SEALING_KEY, World


async def test_U27_the_command_speaks_json_and_shows_no_secret(world: World, valkey: str) -> None:
    wrong = "wrong-secret-of-the-gateway"
    settings = environment(world, valkey, free_port(), CLIENT_SECRET=wrong)
    async with process(settings, "doctor", "--json") as run:
        output, beside = await asyncio.wait_for(run.communicate(), PATIENCE)

    findings = json.loads(output)
    assert (run.returncode, beside) == (1, b"")
    assert {frozenset(one) for one in findings} == {frozenset({"check", "status", "detail", "fix"})}
    assert [one["check"] for one in findings if one["status"] == "fault"] == ["client credential"]
    password = valkey.partition("@")[0].rpartition(":")[2]
    assert [
        secret for secret in (wrong, SEALING_KEY, password, GATEWAY_SECRET) if secret in output.decode()
    ] == []


async def test_U27_the_command_prints_a_line_for_each_check(world: World, valkey: str) -> None:
    async with process(environment(world, valkey, free_port()), "doctor") as run:
        output, beside = await asyncio.wait_for(run.communicate(), PATIENCE)

    lines = output.decode().splitlines()
    assert (run.returncode, beside) == (0, b"")
    assert any(line.startswith("ok       redirect URI") for line in lines)
    assert lines[-1] == "2 warnings."


async def test_U27_settings_that_cannot_be_read_are_told_at_once() -> None:
    settings = {"GATEWAY_PORT": "many", "GATEWAY_TENANT_ID": "contoso"}
    async with process(settings, "doctor", "--json") as run:
        output, beside = await asyncio.wait_for(run.communicate(), PATIENCE)

    findings = json.loads(output)
    assert run.returncode == 2
    assert {(one["check"], one["status"]) for one in findings} == {("settings", "fault")}
    assert [one["detail"] for one in findings] == beside.decode().splitlines()
    assert len(findings) > 3


def test_nothing_wrong_is_said_as_such() -> None:
    assert drawn([Finding("one", Status.OK, "fine")], as_json=False).splitlines()[-1] == "Nothing is wrong."
