"""The resource API's doctor finds each fault of the API's own half, against the local tenant; nothing is patched."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import Callable

import pytest
from aiohttp import web

from resource_api.doctor.examination import examine
from resource_api.settings import PREFIX, Settings
from servicekit.doctor.findings import Finding, Status
from servicekit.doctor.report import exit_status
from servicekit.settings_faults import load_settings
from tests.product.test_doctor import OTHER, faults, the
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.sources import ROOT
from tests.stage.tenant import API, API_SECRET, GATEWAY, TENANT_ID
from tests.stage.trust import ONE_CERTIFICATE
from tests.stage.world import World, served

Configured = Callable[..., Settings]


def environment(world: World, **changed: str) -> dict[str, str]:
    """Return what the API is told in this world, some of it changed."""
    texts = {
        "TENANT_SUBDOMAIN": "stepuplocal",
        "TENANT_ID": TENANT_ID,
        "CLIENT_ID": API,
        "CLIENT_SECRET": API_SECRET,
        "ALLOWED_CLIENTS": GATEWAY,
        "AUTHORITY_MAP": world.tenant_url,
        "CA_BUNDLE": ONE_CERTIFICATE,
        **changed,
    }
    return {PREFIX + name: text for name, text in texts.items()}


@pytest.fixture
def configured(world: World) -> Configured:
    """Give a maker of settings for this world, some changed."""
    return lambda **changed: load_settings(Settings, environment(world, **changed), PREFIX)


async def looked_at(world: World, settings: Settings) -> list[Finding]:
    """Return what the doctor finds when it is told the gateway's redirect URI."""
    return await examine(settings, redirect_uri=f"{world.gateway_url}/auth/callback")


async def test_F3_a_good_api_has_no_fault(world: World, configured: Configured) -> None:
    findings = await looked_at(world, configured())

    assert faults(findings) == {}
    assert exit_status(findings) == 0
    assert [one.check for one in findings if one.status is Status.WARNING] == ["local work"]
    assert [one.check for one in findings] == [
        "settings",
        "local work",
        "audit trail",
        "certificate",
        "discovery",
        "signing keys",
        "clock",
        "client credential",
        "client authentication",
        "signing algorithms",
        "exchange",
        "access tokens",
        "allowed clients",
        "scope",
        "Graph",
    ]


@pytest.mark.parametrize(
    "changed, check, said",
    [
        (
            {"CLIENT_SECRET": "not-the-secret"},
            "client credential",
            ("AADSTS7000215", "RESOURCE_API_CLIENT_SECRET", "(the API's)"),
        ),
        ({"CLIENT_ID": OTHER}, "client credential", ("AADSTS700016", "RESOURCE_API_CLIENT_ID")),
        (
            {"ALLOWED_CLIENTS": OTHER},
            "allowed clients",
            ("AADSTS700016", OTHER, "RESOURCE_API_ALLOWED_CLIENTS", "GATEWAY_CLIENT_ID"),
        ),
        ({"ALLOWED_CLIENTS": f"{GATEWAY},{OTHER}"}, "allowed clients", (OTHER,)),
        ({"ALLOWED_CLIENTS": API}, "allowed clients", ("this API itself", "RESOURCE_API_ALLOWED_CLIENTS")),
        ({"SCOPE": "Wrong"}, "scope", (f"api://{API}/Wrong", "AADSTS70011", "RESOURCE_API_SCOPE")),
        ({"TENANT_ID": OTHER}, "discovery", (OTHER, TENANT_ID, "RESOURCE_API_TENANT_ID")),
        ({"TENANT_SUBDOMAIN": "nobody"}, "discovery", ("AADSTS90002", "RESOURCE_API_TENANT_SUBDOMAIN")),
        (
            {"GRAPH_URL": "https://graph.microsoft.com/me"},
            "Graph",
            ("answered 404", "RESOURCE_API_GRAPH_URL"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value), ""),
)
async def test_F3_a_wrong_setting_of_the_api_is_named(
    world: World, configured: Configured, changed: dict[str, str], check: str, said: tuple[str, ...]
) -> None:
    findings = await looked_at(world, configured(**changed))

    assert [part for part in said if part not in faults(findings)[check]] == []
    assert "GATEWAY_TENANT" not in str(findings)
    assert exit_status(findings) == 1


async def test_F3_the_tenant_is_down(configured: Configured) -> None:
    findings = await examine(configured(AUTHORITY_MAP=f"http://127.0.0.1:{free_port()}"))

    assert faults(findings).keys() == {"discovery", "Graph"}
    for check in ("signing keys", "clock", "client credential", "allowed clients", "scope"):
        assert the(findings, check).detail == "not looked at, because of: discovery"


@pytest.mark.parametrize(
    "redirect_uri, said", [(None, "--redirect-uri"), ("https://elsewhere.example/auth/callback", "elsewhere")]
)
async def test_F3_a_scope_that_could_not_be_looked_at_is_not_said_to_be_well(
    configured: Configured, redirect_uri: str | None, said: str
) -> None:
    finding = the(await examine(configured(), redirect_uri=redirect_uri), "scope")

    assert finding.status is Status.WARNING
    assert finding.detail.startswith("not looked at: ")
    assert said in f"{finding.detail} {finding.fix}"


async def test_F3_an_authority_that_says_nothing_clear_about_a_client_is_not_believed(
    world: World, configured: Configured
) -> None:
    await world.admin("PUT", "/faults/authorize", {"status": 200, "body": "empty"})

    findings = await looked_at(world, configured())

    assert faults(findings) == {}
    assert the(findings, "allowed clients").status is Status.WARNING
    assert the(findings, "scope").status is Status.WARNING


ISSUER = "https://login.example.com/tenant/v2.0"


def jwt_of(**claims: object) -> str:
    """Return a token that says so, with a signature of nobody's."""
    head, payload = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "RS256"}, claims)
    )
    return f"{head}.{payload}.c2lnbmVk"


@pytest.mark.parametrize(
    "token, status, said",
    [
        (jwt_of(iss=ISSUER, aud=API, tid=TENANT_ID, ver="2.0"), Status.OK, ISSUER),
        (
            jwt_of(iss=f"https://sts.windows.net/{TENANT_ID}/", aud=f"api://{API}", tid=TENANT_ID, ver="1.0"),
            Status.FAULT,
            "ver '1.0'",
        ),
        (jwt_of(iss=ISSUER, aud=OTHER, tid=TENANT_ID, ver="2.0"), Status.FAULT, f"aud '{OTHER}'"),
        ("opaque", Status.WARNING, "is no JWT"),
        ("a.b.c", Status.WARNING, "is no JWT"),
        ("e30.W10.c2ln", Status.WARNING, "is no JWT"),
    ],
)
async def test_F3_what_the_tokens_for_this_api_say_is_compared_with_what_is_believed(
    configured: Configured, token: str, status: Status, said: str
) -> None:
    port = free_port()

    async def metadata(_request: web.Request) -> web.Response:
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        return web.json_response({"issuer": ISSUER, **{name: f"{ISSUER}/{name}" for name in names}})

    async def tokens(_request: web.Request) -> web.Response:
        return web.json_response({"access_token": token, "token_type": "Bearer", "expires_in": 60})

    other = web.Application()
    other.router.add_get("/tenant/v2.0/.well-known/openid-configuration", metadata)
    other.router.add_post("/tenant/v2.0/token_endpoint", tokens)
    async with served(other, port):
        findings = await examine(
            configured(TENANT_SUBDOMAIN="", AUTHORITY=ISSUER, AUTHORITY_MAP=f"http://127.0.0.1:{port}")
        )

    finding = the(findings, "access tokens")
    assert finding.status is status
    assert said in finding.detail
    assert ("requestedAccessTokenVersion" in str(finding.fix)) == (status is Status.FAULT)


async def command(world: World, *arguments: str, **changed: str) -> tuple[int | None, str, str]:
    """Run the API's program; return its exit status, and what it wrote on both streams."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "resource_api", *arguments),
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), **environment(world, **changed)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, beside = await asyncio.wait_for(process.communicate(), PATIENCE)
    return process.returncode, output.decode(), beside.decode()


async def test_F3_the_command_speaks_json_and_shows_no_secret(world: World) -> None:
    wrong = "wrong-secret-of-the-api"
    status, output, beside = await command(world, "doctor", "--json", CLIENT_SECRET=wrong)

    findings = json.loads(output)
    assert (status, beside) == (1, "")
    assert [one["check"] for one in findings if one["status"] == "fault"] == ["client credential"]
    assert wrong not in output


async def test_F3_settings_that_cannot_be_read_are_told_at_once(world: World) -> None:
    status, output, beside = await command(world, "doctor", "--json", PORT="many", ALLOWED_CLIENTS="")

    assert status == 2
    assert [one["detail"] for one in json.loads(output)] == beside.splitlines()


async def test_F3_the_command_prints_a_line_for_each_check(world: World) -> None:
    status, output, beside = await command(
        world, "doctor", "--redirect-uri", f"{world.gateway_url}/auth/callback"
    )

    assert (status, beside) == (0, "")
    assert f"ok       allowed clients        the tenant knows {GATEWAY}" in output.splitlines()
    assert output.splitlines()[-1] == "1 warning."
