"""The real product as processes: what `stack` promises to the tests that use it."""

import asyncio
import os
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from devstack.environment import is_setting
from devstack.errors import LaunchError
from devstack.stack import ROOT, Stack, assembled
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_ports


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 -- one of the stack's own
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


def test_every_part_answers_at_its_address(stack: Stack) -> None:
    for url in (stack.gateway_url, stack.api_url, stack.tenant_url):
        assert status(f"{url}/health/live") == 200
    assert stack.gateway_url.startswith("http://localhost:")
    assert stack.tenant_url.startswith("http://127.0.0.1:")


def test_a_killed_part_is_gone(stack: Stack) -> None:
    stack.kill("api")

    with pytest.raises(urllib.error.URLError):
        status(f"{stack.api_url}/health/live")
    assert [child.name for child in stack.ended()] == ["api"]


def test_and_back_again_for_the_next_test(stack: Stack) -> None:
    assert stack.ended() == []


async def test_an_async_test_restarts_a_part_in_a_thread(stack: Stack) -> None:
    before = stack.parts["api"].child.pid
    await asyncio.to_thread(stack.restart, "api")

    assert stack.parts["api"].child.pid != before
    assert stack.log("api").count('"listening"') >= 2


def test_a_restarted_store_has_the_same_address(stack: Stack) -> None:
    assert stack.valkey is not None
    stack.restart("valkey")

    assert stack.valkey.command("PING") == "+PONG"
    assert stack.redis_url == stack.valkey.url


def test_each_test_begins_with_an_empty_store(stack: Stack) -> None:
    assert stack.valkey is not None
    assert stack.valkey.command("DBSIZE") == ":0"


def test_U28_a_wrong_setting_is_told_in_the_failure(tmp_path: Path) -> None:
    overrides = {"GATEWAY_SESSION_IDLE_SECONDS": "soon"}
    around = {name: value for name, value in os.environ.items() if not is_setting(name)}

    with (
        assembled(
            tmp_path, {}, around, free_ports(), root=ROOT, cwd=tmp_path, env_overrides=overrides
        ) as stack,
        pytest.raises(
            LaunchError, match=r"exit code 2 while starting[\s\S]*GATEWAY_SESSION_IDLE_SECONDS is 'soon'"
        ),
    ):
        stack.start("gateway")


def test_U26_nothing_but_addresses_identity_secrets_and_the_last_pause_differs_from_production(
    stack: Stack,
) -> None:
    """Local work has no setting that weakens a cookie, a policy or a check: there is none to be set."""
    given = {name for name in stack.parts["gateway"].child.program.environment if is_setting(name)}

    assert {name for name in given if stack.parts["gateway"].child.program.environment[name]} == {
        "GATEWAY_ADMIN_PORT",
        "GATEWAY_AUTHORITY_MAP",
        "GATEWAY_CLIENT_ID",
        "GATEWAY_CLIENT_SECRET",
        "GATEWAY_EDIT_PROFILE_SCOPE",
        "GATEWAY_HOST",
        "GATEWAY_PORT",
        "GATEWAY_PUBLIC_URL",
        "GATEWAY_REDIS_URL",
        "GATEWAY_RESOURCE_API_URL",
        "GATEWAY_SEALING_KEYS",
        "GATEWAY_SHUTDOWN_DELAY_SECONDS",
        "GATEWAY_TENANT_ID",
        "GATEWAY_TENANT_SUBDOMAIN",
    }
