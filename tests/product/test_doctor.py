"""The doctor names each misconfiguration: the tenant, Redis and small servers reproduce it, and nothing is patched."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from devstack.embedded_valkey import EmbeddedValkey
from gateway.doctor.examination import examine
from gateway.doctor.wording import FOR_EDITING
from gateway.settings import Settings
from servicekit.doctor.explanations import EXPLANATIONS
from servicekit.doctor.findings import Finding, Status
from servicekit.doctor.report import exit_status
from tests.stage.certificates import client_certificate
from tests.stage.ports import free_port
from tests.stage.tenant import API, GATEWAY, TENANT_ID, MovableClock
from tests.stage.world import World, gateway_settings, served

Configured = Callable[..., Settings]
OTHER = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def configured(world: World, valkey: str) -> Configured:
    """Give a maker of settings for this world, some changed."""
    environment = {
        "PUBLIC_URL": world.gateway_url,
        "REDIS_URL": valkey,
        "AUTHORITY_MAP": world.tenant_url,
        "RESOURCE_API_URL": world.api_url,
    }
    return lambda **changed: gateway_settings(**{**environment, **changed})


def the(findings: list[Finding], check: str) -> Finding:
    """Return the one finding of a check."""
    (finding,) = [finding for finding in findings if finding.check == check]
    return finding


def faults(findings: list[Finding]) -> dict[str, str]:
    """Return what is at fault, each with all that is said about it."""
    return {one.check: f"{one.detail} {one.fix}" for one in findings if one.status is Status.FAULT}


async def test_U27_a_good_world_has_no_fault(configured: Configured) -> None:
    findings = await examine(configured())

    assert faults(findings) == {}
    assert exit_status(findings) == 0
    warned = [one for one in findings if one.status is Status.WARNING]
    assert [one.check for one in warned if "every request with a session waits for it" not in one.detail] == [
        "local work",
        "Redis persistence",  # the tests' server keeps nothing
    ]
    assert len({one.check for one in findings}) == len(findings)


@pytest.mark.parametrize(
    "changed, check, said",
    [
        (
            {"CLIENT_SECRET": "not-the-secret"},
            "client credential",
            ("AADSTS7000215", "GATEWAY_CLIENT_SECRET"),
        ),
        ({"CLIENT_ID": OTHER}, "client credential", ("AADSTS700016", "GATEWAY_CLIENT_ID")),
        ({"CLIENT_ID": OTHER}, "redirect URI", ("AADSTS700016", "GATEWAY_CLIENT_ID")),
        (
            {"PUBLIC_URL": "http://127.0.0.1:3000"},
            "redirect URI",
            ("http://127.0.0.1:3000/auth/callback", "AADSTS50011", "GATEWAY_PUBLIC_URL"),
        ),
        (
            {"EDIT_PROFILE_SCOPE": f"api://{API}/Wrong"},
            "edit scope",
            ("AADSTS70011", "Expose an API", "GATEWAY_EDIT_PROFILE_SCOPE"),
        ),
        (
            {"EDIT_PROFILE_SCOPE": f"api://{OTHER}/EditProfileService.ReadWrite"},
            "edit scope",
            ("AADSTS500011", "GATEWAY_EDIT_PROFILE_SCOPE"),
        ),
        (
            {"GRAPH_SCOPE": "User.Nothing"},
            "Graph scope",
            ("User.Nothing", "AADSTS70011", "GATEWAY_GRAPH_SCOPE", "Graph's delegated permissions"),
        ),
        ({"TENANT_ID": OTHER}, "discovery", (OTHER, TENANT_ID, "GATEWAY_TENANT_ID")),
        ({"TENANT_SUBDOMAIN": "nobody"}, "discovery", ("AADSTS90002", "GATEWAY_TENANT_SUBDOMAIN")),
        ({"GRAPH_URL": "https://graph.microsoft.com/me"}, "Graph", ("answered 404", "GATEWAY_GRAPH_URL")),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value), ""),
)
async def test_U27_a_wrong_setting_is_named(
    configured: Configured, changed: dict[str, str], check: str, said: tuple[str, ...]
) -> None:
    findings = await examine(configured(**changed))

    assert [part for part in said if part not in faults(findings)[check]] == []
    assert exit_status(findings) == 1


async def test_U27_the_tenant_is_down(configured: Configured) -> None:
    findings = await examine(configured(AUTHORITY_MAP=f"http://127.0.0.1:{free_port()}"))

    assert faults(findings).keys() == {"discovery", "Graph"}
    assert "nobody listens there" in the(findings, "discovery").detail
    for check in ("signing keys", "clock", "client credential", "redirect URI", "Graph scope", "edit scope"):
        assert the(findings, check).detail == "not looked at, because of: discovery"


async def test_U27_redis_is_down(configured: Configured) -> None:
    findings = await examine(configured(REDIS_URL=f"redis://127.0.0.1:{free_port()}"))

    assert faults(findings).keys() == {"Redis"}
    assert "nobody listens there" in faults(findings)["Redis"]


async def test_U27_the_password_of_redis_is_wrong(
    configured: Configured, valkey_server: EmbeddedValkey
) -> None:
    findings = await examine(configured(REDIS_URL=f"redis://:wrong@127.0.0.1:{valkey_server.port}"))

    assert "refuses the user or the password" in faults(findings)["Redis"]


async def test_U27_redis_evicts(configured: Configured, valkey_server: EmbeddedValkey) -> None:
    valkey_server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    valkey_server.command("CONFIG", "SET", "appendonly", "yes")
    try:
        findings = await examine(configured())
    finally:
        valkey_server.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
        valkey_server.command("CONFIG", "SET", "appendonly", "no")

    assert "allkeys-lru" in faults(findings)["Redis eviction"]
    assert the(findings, "Redis persistence").status is Status.OK


async def test_U27_a_user_with_few_rights_may_not_look(
    configured: Configured, valkey_server: EmbeddedValkey
) -> None:
    few = configured(REDIS_URL=f"redis://few:pw@127.0.0.1:{valkey_server.port}")
    valkey_server.command("ACL", "SETUSER", "few", "on", ">pw", "~stepup:*", "-@all", "+ping", "+getdel")
    try:
        too_few = await examine(few)
        valkey_server.command("ACL", "SETUSER", "few", "+set")
        findings = await examine(few)
    finally:
        valkey_server.command("ACL", "DELUSER", "few")

    assert "Least rights" in faults(too_few)["Redis records"]
    assert the(findings, "Redis records").status is Status.OK
    for check in ("Redis version", "Redis eviction", "Redis persistence"):
        assert "not allowed to look" in the(findings, check).detail


async def test_U27_the_api_is_down(configured: Configured) -> None:
    findings = await examine(configured(RESOURCE_API_URL=f"http://127.0.0.1:{free_port()}"))

    assert faults(findings).keys() == {"resource API"}
    assert "GATEWAY_RESOURCE_API_URL" in faults(findings)["resource API"]


async def test_U27_another_server_answers_in_the_apis_place(configured: Configured, world: World) -> None:
    findings = await examine(configured(RESOURCE_API_URL=world.tenant_url + "/elsewhere"))

    assert "not as the edit profile service does" in faults(findings)["resource API"]


@pytest.mark.parametrize(
    "status, said", [(200, "answered 200, and not 401"), (401, "without WWW-Authenticate")]
)
async def test_U27_the_api_does_not_protect(configured: Configured, status: int, said: str) -> None:
    async def live(_request: web.Request) -> web.Response:
        return web.json_response({"status": "live"})

    async def edit(_request: web.Request) -> web.Response:
        return web.json_response({}, status=status)

    careless, port = web.Application(), free_port()
    careless.router.add_get("/health/live", live)
    careless.router.add_patch("/profile", edit)
    async with served(careless, port):
        findings = await examine(configured(RESOURCE_API_URL=f"http://127.0.0.1:{port}"))

    assert faults(findings).keys() == {"resource API protects"}
    assert said in faults(findings)["resource API protects"]


async def test_R21_clocks_that_differ_are_told(configured: Configured, world: World) -> None:
    for seconds, status, said in (
        (600, Status.FAULT, "ahead of"),
        (-600, Status.FAULT, "behind"),
        (120, Status.WARNING, "ahead of"),
        (-60, Status.OK, "behind"),
    ):
        finding = the(
            await examine(configured(), now=MovableClock(world.tenant_clock.now + seconds)), "clock"
        )

        assert (finding.status, said in finding.detail) == (status, True), seconds


async def test_T7_a_wrong_clock_can_be_rehearsed_with_the_tenant(
    configured: Configured, world: World
) -> None:
    for seconds, status, said in ((600, Status.FAULT, "behind"), (-120, Status.WARNING, "ahead of")):
        await world.admin("PUT", "/settings", {"clock_offset_seconds": seconds})
        finding = the(await examine(configured(), now=world.clock), "clock")

        assert (finding.status, said in finding.detail) == (status, True), seconds


STRUCK = (
    ("token.client_credentials", {"aadsts": 7000222}, "client credential", Status.FAULT),
    ("token.client_credentials", {"aadsts": 700024}, "client credential", Status.FAULT),
    ("token.client_credentials", {"aadsts": 500011}, "client credential", Status.OK),
    ("token.client_credentials", {"status": 503, "body": "html"}, "client credential", Status.FAULT),
    ("keys", {"status": 200, "body": "empty"}, "signing keys", Status.FAULT),
    ("discovery", {"status": 503, "body": "html"}, "discovery", Status.FAULT),
    ("authorize", {"aadsts": 65001}, "edit scope", Status.FAULT),
    ("authorize", {"aadsts": 90033}, "edit scope", Status.WARNING),
    ("authorize", {"status": 200, "body": "empty"}, "redirect URI", Status.WARNING),
    ("authorize", {"body": "reset"}, "redirect URI", Status.WARNING),
    ("graph.get_me", {"status": 429}, "Graph", Status.FAULT),
)


async def test_U27_what_the_authority_answers_is_explained(configured: Configured, world: World) -> None:
    for point, struck, check, status in STRUCK:
        await world.admin("PUT", f"/faults/{point}", struck)
        finding = the(await examine(configured()), check)
        await world.admin("DELETE", f"/faults/{point}")

        assert finding.status is status, (point, struck, finding)
        number = struck.get("aadsts")
        if isinstance(number, int) and status is Status.FAULT:
            explanation = FOR_EDITING.applied(EXPLANATIONS[number])
            assert explanation.cause in finding.detail
            assert explanation.fix == finding.fix


async def test_U27_a_certificate_that_ends_is_told(
    configured: Configured, world: World, tmp_path: Path
) -> None:
    key = rsa.generate_private_key(65_537, 2048)
    for days, status, said in (
        (90, Status.OK, "in 90 days"),
        (12, Status.WARNING, "in 12 days"),
        (-3, Status.FAULT, "which is past"),
    ):
        path, public = client_certificate(tmp_path, key, days)
        settings = configured(CLIENT_SECRET="", CLIENT_CERTIFICATE=str(path))
        unknown = await examine(settings)
        await world.admin("PUT", f"/apps/{GATEWAY}", {"certificates": [public]})
        findings = await examine(settings)

        assert "AADSTS700027" in faults(unknown)["client credential"]
        assert the(findings, "client credential").status is Status.OK
        assert the(findings, "certificate").status is status
        assert said in the(findings, "certificate").detail


async def test_U27_the_address_of_production_wants_its_proxies_named(configured: Configured) -> None:
    # The authority and Graph may fail here: what is looked at is the address.
    nobody = f"https://127.0.0.1:{free_port()}"
    there = {
        "PUBLIC_URL": "https://profile.example.com",
        "AUTHORITY_MAP": "",
        "TENANT_SUBDOMAIN": "",
        "TENANT_ID": "",
        "AUTHORITY": nobody,
        "GRAPH_URL": nobody,
    }
    bare = await examine(configured(**there))
    named = await examine(configured(**there, TRUSTED_PROXIES="10.0.0.0/8"))

    assert the(bare, "local work").status is Status.OK
    assert the(bare, "public URL").status is Status.OK
    assert (the(bare, "proxies").status, the(named, "proxies").status) == (Status.WARNING, Status.OK)
