"""Clients that prove themselves with a token of another issuer (F8)."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from local_tenant.signing import generate_key
from tests.stage.tenant import API, GRAPH, Answer, World, claims_of
from tests.stage.workload_identity import registered, token


async def ask(world: World, assertion: str) -> Answer:
    form = {
        "grant_type": "client_credentials",
        "client_id": API,
        "scope": f"{GRAPH}/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    return await world.token(form)


def fresh(world: World, **changed: Any) -> str:
    now = int(world.clock())
    return token("api", **({"iat": now, "nbf": now, "exp": now + 600} | changed))


async def test_F8_a_trusted_issuer_s_token_proves_the_client(world: World) -> None:
    await world.ask("PUT", f"/admin/apps/{API}", json=registered("api"))

    answer = await ask(world, fresh(world))

    assert answer.status == 200
    assert claims_of(answer.body["access_token"])["azp"] == API


@pytest.mark.parametrize(
    "changed, number",
    [
        ({"iss": "https://oidc.other.example"}, 700211),
        ({"sub": "system:serviceaccount:stepup:API"}, 700213),
        ({"aud": "https://kubernetes.default.svc.cluster.local"}, 700212),
        ({"aud": None}, 700212),
        ({"exp": 1}, 700024),
        ({"exp": None}, 700024),
    ],
)
async def test_F8_another_workload_s_token_is_refused_by_number(
    world: World, changed: dict[str, Any], number: int
) -> None:
    await world.ask("PUT", f"/admin/apps/{API}", json=registered("api"))

    refused = await ask(world, fresh(world, **changed))

    assert (refused.status, refused.body["error"], refused.number) == (401, "invalid_client", number)


async def test_F8_nobody_can_write_such_a_token_but_its_issuer(world: World) -> None:
    trusted = registered("api")
    other = generate_key().certificate.public_bytes(serialization.Encoding.PEM).decode()
    trusted["federated_credentials"][0]["certificate"] = other
    await world.ask("PUT", f"/admin/apps/{API}", json=trusted)

    assert (await ask(world, fresh(world))).number == 700027


async def test_F8_a_client_that_trusts_no_issuer_takes_no_such_token(world: World) -> None:
    assert (await ask(world, fresh(world))).number == 700027
