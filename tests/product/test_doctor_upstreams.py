"""The doctor tries each row of the upstreams, against small servers and the tenant."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web

from gateway.doctor.examination import examine
from gateway.settings import Settings
from servicekit.doctor.findings import Finding, Status
from tests.stage.ports import free_port
from tests.stage.tenant import EDIT
from tests.stage.world import World, gateway_settings, served

OTHER: Final = "api://11111111-2222-4333-8444-555555555555"
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="notes"'}


async def _answer(request: web.Request) -> web.Response:
    status = int(request.match_info["status"])
    headers = CHALLENGE if "challenge" in request.match_info["how"] else {}
    assert "Authorization" not in request.headers, "a doctor has no token"
    return web.Response(status=status, headers=headers)


@pytest.fixture
async def upstream() -> AsyncIterator[str]:
    """Give the address of a server that answers as its path says, and to GET alone."""
    app, port = web.Application(), free_port()
    app.router.add_get("/{status}/{how}", _answer)
    async with served(app, port):
        yield f"http://127.0.0.1:{port}"


def row(name: str, target: str, *members: str) -> str:
    return "\n".join(
        ("[[upstream]]", f'name = "{name}"', f'prefix = "/api/{name}"', f'target = "{target}"', *members, "")
    )


def configured(world: World, valkey: str, file: Path, *rows: str, **changed: str) -> Settings:
    file.write_text("\n".join(rows), encoding="utf-8")
    environment = {
        "PUBLIC_URL": world.gateway_url,
        "REDIS_URL": valkey,
        "AUTHORITY_MAP": world.tenant_url,
        "RESOURCE_API_URL": world.api_url,
        "UPSTREAMS": str(file),
    }
    return gateway_settings(**{**environment, **changed})


def of_rows(findings: list[Finding]) -> dict[str, Finding]:
    """Return what was found about rows, by name."""
    return {one.check.removeprefix("upstream "): one for one in findings if one.check.startswith("upstream ")}


async def test_U27_each_row_is_tried(world: World, valkey: str, tmp_path: Path, upstream: str) -> None:
    scope, other = f'scope = "{EDIT}"', f'scope = "{OTHER}/Notes.Read"'
    settings = configured(
        world,
        valkey,
        tmp_path / "upstreams.toml",
        row("good", f"{upstream}/401/challenge", scope),
        row("strange", f"{upstream}/401/challenge", other, 'methods = ["POST"]'),
        row("strange-too", f"{upstream}/401/challenge", other),
        row("open", f"{upstream}/200/plain", scope),
        row("mute", f"{upstream}/401/plain", scope),
        row("moved", f"{upstream}/302/plain", scope),
        row("elsewhere", f"{upstream}/404/plain", scope),
        row("broken", f"{upstream}/503/plain"),
        row("signed-in", f"{upstream}/200/plain"),
        row("anybody", f"{upstream}/200/plain", "anonymous = true"),
        row("wants-one", f"{upstream}/401/challenge"),
        row("away", f"http://127.0.0.1:{free_port()}", scope),
        row("no-tls", upstream.replace("http:", "https:")),
        row("nobody", "https://nobody.invalid"),
    )

    found = of_rows(await examine(settings))

    good = {name: one.detail for name, one in found.items() if one.status is Status.OK}
    asked = f"GET {upstream}/{{}} without a token {{}}".format
    for name in ("good", "strange", "strange-too"):
        assert good.pop(name) == asked("401/challenge", "answered 401")
        assert good.pop(f"{name} protects") == asked("401/challenge", "is refused with a challenge")
    for name in ("good", "open", "mute", "moved", "elsewhere", "away"):
        assert good.pop(f"{name} scope") == f"{EDIT} is GATEWAY_EDIT_PROFILE_SCOPE, whose token it shares"
    assert good.pop("strange-too scope") == f"{OTHER}/Notes.Read is that of strange, whose token it shares"
    for name, status in (("open", 200), ("mute", 401), ("moved", 302), ("elsewhere", 404)):
        assert good.pop(name) == asked(f"{status}/plain", f"answered {status}")
    free = asked("200/plain", "answered 200; no token is attached, and it answers everybody{}").format
    assert good == {
        "signed-in": free(" with a session"),
        "anybody": free(", with a session or without"),
    }
    said: dict[tuple[str, Status], str] = {
        (name, one.status): f"{one.detail} {one.fix}"
        for name, one in found.items()
        if one.status is not Status.OK
    }
    for key, part in {
        ("strange scope", Status.FAULT): "AADSTS500011",
        ("open protects", Status.FAULT): "answered 200, and not 401: whoever reaches it may not need one",
        ("mute protects", Status.WARNING): "answered 401 without a Bearer challenge",
        ("moved protects", Status.WARNING): "answered 302, which leads elsewhere",
        ("elsewhere protects", Status.WARNING): "answered 404, which does not say whether it needs one",
        ("broken", Status.WARNING): "answered 503, which is a failure of its own",
        ("wants-one", Status.WARNING): "the row has no scope, so none is attached",
        ("away", Status.FAULT): "cannot be reached: nobody listens there",
        ("away protects", Status.WARNING): "not looked at, because of: upstream away",
        ("no-tls", Status.FAULT): "TLS is not spoken there",
        ("nobody", Status.FAULT): "its name cannot be resolved",
    }.items():
        assert part in said.pop(key), key
    assert said == {}


async def test_U27_without_the_authority_no_scope_is_looked_at(
    world: World, valkey: str, tmp_path: Path, upstream: str
) -> None:
    scopes = row("notes", f"{upstream}/401/challenge", f'scope = "{OTHER}/Notes.Read"')
    file = tmp_path / "upstreams.toml"

    down = of_rows(
        await examine(
            configured(world, valkey, file, scopes, AUTHORITY_MAP=f"http://127.0.0.1:{free_port()}")
        )
    )
    unregistered = of_rows(
        await examine(configured(world, valkey, file, scopes, PUBLIC_URL="http://127.0.0.1:3000"))
    )

    assert down["notes scope"].detail == "not looked at, because of: discovery"
    assert unregistered["notes scope"].detail == "not looked at, because of: redirect URI"
    assert down["notes protects"].status is unregistered["notes protects"].status is Status.OK
