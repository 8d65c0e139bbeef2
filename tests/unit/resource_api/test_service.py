"""The service around the one route: health, description, headers, errors and what is not HTTP (S50, S55)."""

import asyncio
import json
import logging
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from local_tenant.signing import SigningKey
from resource_api import errors
from resource_api.access import ScopePolicy
from resource_api.app import create_app
from resource_api.editing import ProfileEditor
from resource_api.openapi import PROBLEM_TYPES, document
from resource_api.profile import EDITABLE, MEMBERS
from resource_api.routes import EDITOR, table
from servicekit import errors as shared
from servicekit.http.life import LIFE
from servicekit.problems import ProblemError
from servicekit.reference import RequestId
from servicekit.version import VERSION
from tests.stage.openapi_facts import facts
from tests.stage.patience import PATIENCE
from tests.unit.resource_api.stage import Stage, listening, running_api, settings_for


async def raw(stage: Stage, request: bytes) -> bytes:
    """Send bytes and return all that comes back."""
    parts = urlsplit(stage.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    await writer.drain()
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE)
    finally:
        writer.close()


async def test_it_lives_and_is_ready_without_authority_or_graph() -> None:
    app = create_app(settings_for("http://127.0.0.1:9"))
    async with listening(app) as url:
        stage = Stage(url, None, None, None, None, None)  # type: ignore[arg-type]  # only its address is used
        for path in ("live", "ready"):
            answer = await raw(stage, f"GET /health/{path} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
            assert answer.startswith(b"HTTP/1.0 200"), answer
            assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"status": path}


async def test_R19_a_stopping_service_is_not_ready(stage: Stage) -> None:
    app = create_app(settings_for("http://127.0.0.1:9"))
    async with listening(app) as url:
        app[LIFE].stop()
        async with stage.session.get(f"{url}/health/ready") as answer:
            assert (answer.status, await answer.json()) == (503, {"status": "stopping"})
        async with stage.session.get(f"{url}/health/live") as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/health/live", 200),
        ("GET", "/openapi.json", 200),
        ("PATCH", "/profile", 401),
        ("GET", "/nowhere", 404),
        ("GET", "/profile/", 404),
        ("PATCH", "/PROFILE", 404),
        ("POST", "/profile", 405),
        ("GET", "/profile", 405),
        ("OPTIONS", "/profile", 405),
        ("DELETE", "/health/live", 405),
    ],
)
async def test_every_answer_has_the_headers_of_an_api(
    stage: Stage, method: str, path: str, status: int
) -> None:
    answer = await stage.send(method, path, headers={"Origin": "https://evil.example"})

    assert answer.status == status
    if status >= 400:
        assert answer.slug
    if status == 405:
        assert answer.headers["Allow"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Server" not in answer.headers
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "not-a-uuid",
        "{7c3f4d0e-5a61-4b0e-9f0d-3d2c6a1b8e55}",
        "urn:uuid:7c3f4d0e-5a61-4b0e-9f0d-3d2c6a1b8e55",
        "x" * 300,
        "a\tb",
    ],
)
async def test_A6_an_odd_id_of_a_caller_is_replaced(stage: Stage, sent: str) -> None:
    answer = await stage.send("GET", "/nowhere", headers={"client-request-id": sent})

    assert answer.headers["client-request-id"] != sent
    assert answer.slug == "not-found"  # which compares the header with the reference
    assert uuid.UUID(answer.headers["client-request-id"]).version == 4


async def test_A6_E24_the_gateways_id_is_the_reference_everywhere(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "resource_api")
    sent = str(uuid.uuid4())
    answer = await stage.patch({"city": "Turin"}, headers={"client-request-id": sent.upper()})

    assert answer.headers["client-request-id"] == sent
    (edited,) = [record for record in caplog.records if record.message == "profile-edited"]
    fields = edited.__dict__["event_fields"]
    assert fields["reference"] == RequestId(sent).reference
    assert fields["fields"] == ["city"]
    assert "Turin" not in str(fields)
    for point in ("graph.get_me", "graph.patch_me"):
        (entry,) = await stage.asked(point)
        assert sent in json.dumps(entry)


async def test_S55_a_fault_of_ours_is_a_bare_500(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ProfileEditor):
        def __init__(self) -> None:
            """Need nothing."""

        async def edit(self, *_: object) -> NoReturn:
            raise RuntimeError("canary: /etc/secret and a token")

    app = create_app(settings_for(stage.world.url), now=stage.clock)

    async def break_it(app: web.Application) -> None:
        app[EDITOR] = Broken()

    app.on_startup.append(break_it)
    async with listening(app) as url:
        headers = {"Authorization": f"Bearer {await stage.token()}"}
        async with stage.session.patch(f"{url}/profile", json={"city": "x"}, headers=headers) as answer:
            text = await answer.text()

    assert answer.status == 500
    assert json.loads(text)["type"] == "/problems/internal-error"
    assert "canary" not in text
    assert "canary" not in caplog.text
    (record,) = [record for record in caplog.records if record.message == "problem"]
    assert any("RuntimeError" in line for line in record.__dict__["event_fields"]["traceback"])


@pytest.mark.parametrize(
    "request_bytes, status",
    [
        (b"canary\r\n\r\n", 400),
        (b"GET /canary HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        (b"GET canary HTTP/1.1\r\nHost: x\r\nBad Header canary\r\n\r\n", 400),
        (b"PATCH /profile HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (
            b"PATCH /profile HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nab",
            400,
        ),
        (b"GET /" + b"canary" * 5000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + b"canary" * 6000 + b"\r\n\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03canary\r\n\r\n", 400),
    ],
    ids=lambda given: repr(given[:24]) if isinstance(given, bytes) else "",
)
async def test_S55_what_is_not_http_is_refused_without_an_echo(
    stage: Stage, request_bytes: bytes, status: int
) -> None:
    answer = await raw(stage, request_bytes)

    assert answer.startswith((b"HTTP/1.1 %d" % status, b"HTTP/1.0 %d" % status))
    assert b"canary" not in answer
    assert b"aiohttp" not in answer
    assert b"Python" not in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == status
    assert (await stage.send("GET", "/health/live")).status == 200


async def test_S46_an_absolute_request_target_moves_nothing(stage: Stage) -> None:
    token = await stage.token()
    request = (
        f"PATCH http://evil.example/profile HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 16\r\nConnection: close\r\n\r\n"
        '{"city":"Turin"}'
    )

    answer = await raw(stage, request.encode())

    assert answer.startswith(b"HTTP/1.1 200")
    assert (await stage.held())["city"] == "Turin"


async def test_S45_no_id_of_the_client_counts(stage: Stage) -> None:
    grace = (await stage.held("grace@example.com"))["id"]
    for path in (f"/profile?id={grace}", f"/profile?user={grace}"):
        headers = {"Authorization": f"Bearer {await stage.token()}", "X-User-Id": str(grace)}
        answer = await stage.send("PATCH", path, json={"city": "Turin"}, headers=headers)
        assert answer.body["displayName"] == "Ada Lovelace"
    assert (await stage.send("PATCH", f"/profile/{grace}", json={"city": "Turin"})).status == 404
    assert (await stage.held("grace@example.com")).get("city") != "Turin"


# --- the description --------------------------------------------------------------------------------------------


async def test_the_description_is_true_to_the_code(stage: Stage) -> None:
    described = (await stage.send("GET", "/openapi.json")).body
    policy = ScopePolicy(settings_for(stage.world.url).scope)

    assert described == document(table(policy))
    assert described["openapi"].startswith("3.1")
    assert described["info"]["version"] == VERSION
    rows = {(row.method.lower(), row.path) for row in table(policy)}
    assert {(method, path) for path, item in described["paths"].items() for method in item} == rows
    schemas = described["components"]["schemas"]
    assert set(schemas["ProfilePatch"]["properties"]) == set(EDITABLE.names)
    assert list(schemas["Profile"]["properties"]) == list(MEMBERS)
    for field in EDITABLE:
        assert schemas["ProfilePatch"]["properties"][field.name]["maxLength"] == field.longest


def test_U24_the_contract_is_the_one_that_callers_rely_on() -> None:
    noted = set((Path(__file__).parent / "openapi_contract.txt").read_text(encoding="utf-8").splitlines())

    assert facts(document(table(ScopePolicy("EditProfileService.ReadWrite")))) == noted


def test_every_failure_is_described_and_drawn_in_the_tree() -> None:
    # Of the two left out, only the forms below them are raised.
    kinds = {
        kind
        for kind in (*vars(errors).values(), *vars(shared).values())
        if isinstance(kind, type) and issubclass(kind, ProblemError)
    } - {errors.TokenNeeded, shared.ResourceUnavailable}

    assert {(one.example.status, one.example.slug) for one in PROBLEM_TYPES} == {
        (kind.status, kind.slug) for kind in kinds
    }
    tree = errors.__doc__ or ""
    for kind in kinds:
        assert kind.__name__ in tree
        if kind is not ProblemError:
            assert f"{kind.status} " in tree
        assert kind.slug
        assert kind.title


async def test_a_certificate_serves_as_credential(signing_keys: Callable[[], SigningKey]) -> None:
    """The tenant knows no certificate of ours here; what counts is that an assertion is sent and not a secret."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - one test's own need

    key = signing_keys()
    pem = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + key.certificate.public_bytes(serialization.Encoding.PEM)
    async with running_api(signing_keys, client_secret="", client_certificate=pem.decode()) as stage:
        answer = await stage.patch({"city": "Turin"})

        assert answer.slug == "misconfigured"
        (entry,) = await stage.asked("token.on_behalf_of")
        assert "client_assertion" in json.dumps(entry)
        assert "client_secret" not in json.dumps(entry)
