"""By which names the tenant's pages may be asked for (A8, S57)."""

import pytest

from local_tenant.known_hosts import is_known
from tests.stage.tenant import GATEWAY, ISSUER, TENANT_ID, World

PAGES = [
    "/",
    "/inbox",
    "/inbox?to=ada@example.com",
    f"/{TENANT_ID}/oauth2/v2.0/authorize?client_id={GATEWAY}",
    f"/{TENANT_ID}/oauth2/v2.0/logout",
    f"/{TENANT_ID}/journeys/x",
    "/assets/tenant.css",
]
OF_PROGRAMS = [f"/{TENANT_ID}/v2.0/.well-known/openid-configuration", f"/{TENANT_ID}/discovery/v2.0/keys"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8400",
        "[::1]:8400",
        "localhost",
        "LOCALHOST.",
        "a.localhost:1",
        "tenant:8400",
        "192.0.2.7",
        "a.local",
    ],
)
def test_A8_addresses_and_names_that_nobody_can_register_are_known(host: str) -> None:
    assert is_known(host, [])


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8400",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "x@127.0.0.1",
        "",
        "[",
    ],
)
def test_A8_a_name_that_somebody_can_register_is_not_unless_it_is_ours(host: str) -> None:
    assert not is_known(host, ["http://127.0.0.1:8400"])
    assert is_known("evil.example:1", ["http://evil.example:8400"])


async def test_A8_S57_no_rebound_name_reaches_a_page_or_the_inbox(world: World) -> None:
    for path in PAGES:
        for accept in ("text/html", "application/json"):
            headers = {"Host": "evil.example:8400", "Accept": accept}
            answer = await world.ask("GET", path, headers=headers)
            assert answer.status == 421, path
            assert "ada@example.com" not in str(answer.body), path


async def test_A8_what_programs_ask_is_answered_by_the_true_names_of_the_authority(world: World) -> None:
    for path in OF_PROGRAMS:
        answer = await world.ask("GET", path, headers={"Host": "login.example.com"})
        assert answer.status == 200, path
    assert ISSUER
    me = await world.ask("GET", "/v1.0/me", headers={"Host": "graph.microsoft.com"})
    assert me.status == 401, "which asks for a token"
