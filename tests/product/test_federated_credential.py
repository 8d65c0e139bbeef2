"""Both services prove themselves with a token that an orchestrator writes and renews, and no secret (F8)."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.doctor.examination import examine
from servicekit.doctor.findings import Status
from tests.product.test_doctor import Configured, configured, faults, the
from tests.stage.tenant import API, GATEWAY
from tests.stage.workload_identity import AUDIENCE, ISSUER, project, registered, subject, token
from tests.stage.world import World

__all__ = ["configured"]

MakeWorld = Callable[..., Awaitable[World]]


def folder(tmp_path: Path, name: str) -> Path:
    """Return a directory for one service's token."""
    place = tmp_path / name
    place.mkdir()
    return place


async def test_F8_the_story_without_a_secret(make_world: MakeWorld, tmp_path: Path) -> None:
    gateways, apis = folder(tmp_path, "gateway"), folder(tmp_path, "api")
    world = await make_world(
        CLIENT_SECRET="",
        FEDERATED_TOKEN_FILE=str(project(gateways, token("gateway"))),
        api_CLIENT_SECRET="",
        api_FEDERATED_TOKEN_FILE=str(project(apis, token("api"))),
    )
    await world.admin("PUT", f"/apps/{GATEWAY}", registered("gateway"))
    await world.admin("PUT", f"/apps/{API}", registered("api"))

    ada = await world.confirmed()
    saved = await ada.call("PATCH", "/api/profile", {"city": "Rome"})

    assert (saved.status, saved.body["city"]) == (200, "Rome")


async def test_F8_a_token_that_was_renewed_is_used_without_a_restart(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    ended = int(time.time()) - 10
    world = await make_world(
        CLIENT_SECRET="",
        FEDERATED_TOKEN_FILE=str(
            project(tmp_path, token("gateway", exp=ended, iat=ended - 60, nbf=ended - 60))
        ),
    )
    await world.admin("PUT", f"/apps/{GATEWAY}", registered("gateway"))
    person = await world.front_end()

    assert "misconfigured" in await person.sign_in()

    project(tmp_path, token("gateway"))
    assert await (await world.front_end()).sign_in() == "/edit"


@pytest.mark.parametrize(
    "row",
    [
        ({"sub": subject("other")}, "client credential", ("AADSTS700213", "names the token's subject")),
        ({"iss": "https://oidc.other.example"}, "client credential", ("AADSTS700211", "the token's issuer")),
        (
            {"aud": "https://kubernetes.default.svc"},
            "client credential",
            ("AADSTS700212", "the token's audience"),
        ),
        ({"exp": 1}, "client credential", ("AADSTS700024", "GATEWAY_FEDERATED_TOKEN_FILE is renewed")),
        ({"exp": 1}, "federated token", ("it ended at 1970-01-01 00:00:01 UTC", "the kubelet")),
    ],
)
async def test_F8_the_doctor_explains_a_token_that_is_not_taken(
    configured: Configured,
    world: World,
    tmp_path: Path,
    row: tuple[dict[str, object], str, tuple[str, ...]],
) -> None:
    changed, check, said = row
    await world.admin("PUT", f"/apps/{GATEWAY}", registered("gateway"))
    path = project(tmp_path, token("gateway", **changed))

    found = faults(await examine(configured(CLIENT_SECRET="", FEDERATED_TOKEN_FILE=str(path))))

    assert [part for part in said if part not in found[check]] == []
    assert path.read_text() not in str(found)


@pytest.mark.parametrize(
    "row",
    [
        ({}, Status.OK, f"iss '{ISSUER}', sub '{subject('gateway')}', aud"),
        ({"aud": "https://kubernetes.default.svc"}, Status.WARNING, "https://kubernetes.default.svc"),
        ({"exp": None}, Status.WARNING, "does not say when it ends"),
        ({"exp": 10**18}, Status.OK, "a time that does not exist"),
    ],
)
async def test_F8_the_doctor_says_whose_token_it_is(
    configured: Configured,
    world: World,
    tmp_path: Path,
    row: tuple[dict[str, object], Status, str],
) -> None:
    changed, status, said = row
    await world.admin("PUT", f"/apps/{GATEWAY}", registered("gateway"))
    path = project(tmp_path, token("gateway", **changed))

    finding = the(
        await examine(configured(CLIENT_SECRET="", FEDERATED_TOKEN_FILE=str(path))), "federated token"
    )

    assert finding.status is status
    assert said in finding.detail
    assert (AUDIENCE in str(finding.fix)) == ("aud" in changed)
