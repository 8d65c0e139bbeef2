"""The doctor names every mismatch between what the authority's metadata lists and what is asked for (W7)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.app_keys import SETTINGS
from gateway.doctor import metadata
from gateway.doctor.examination import examine
from resource_api.doctor import metadata as api_metadata
from resource_api.doctor.examination import examine as examine_api
from servicekit.doctor.findings import Finding, Status
from tests.stage.other_keys import OtherKey
from tests.stage.plain_world import PlainWorld, plain_world
from tests.unit.resource_api.stage import settings_for

LISTS: dict[str, Any] = {
    "response_types_supported": ["code", "id_token"],
    "response_modes_supported": ["query", "form_post"],
    "grant_types_supported": ["authorization_code", "refresh_token"],
    "code_challenge_methods_supported": ["S256"],
    "scopes_supported": ["openid", "offline_access", "profile.read", "profile.edit"],
    "prompt_values_supported": ["none", "create"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    "backchannel_logout_supported": True,
}
CHECKS = [*metadata.CHECKS, "signing keys"]


@pytest.fixture
async def world(valkey: str) -> AsyncIterator[PlainWorld]:
    """Give a gateway whose authority lists all that it is asked for."""
    async with plain_world(valkey, BACKCHANNEL_LOGOUT="1") as world:
        world.provider.metadata = dict(LISTS)
        yield world


async def found(world: PlainWorld, **changed: Any) -> dict[str, Finding]:
    """Return what the doctor finds of the metadata, by check."""
    settings = world.app[SETTINGS].model_copy(update=changed)
    return {one.check: one for one in await examine(settings, now=world.clock) if one.check in CHECKS}


async def test_W7_nothing_is_said_of_an_authority_that_lists_all_that_is_asked_for(world: PlainWorld) -> None:
    findings = await found(world)

    assert list(findings) == ["signing keys", *metadata.CHECKS]
    assert {one.check: one.detail for one in findings.values() if one.status is not Status.OK} == {}


MISMATCHES: list[tuple[str, object, str, Status, tuple[str, ...]]] = [
    (
        "response_types_supported",
        ["id_token"],
        "response type",
        Status.FAULT,
        ("id_token", "nobody can sign in"),
    ),
    (
        "response_modes_supported",
        ["query", "fragment"],
        "response mode",
        Status.FAULT,
        ("query, fragment", "does not arrive", "Set GATEWAY_RESPONSE_MODE to query."),
    ),
    ("response_modes_supported", None, "response mode", Status.WARNING, ("means query and fragment",)),
    ("grant_types_supported", ["implicit"], "grants", Status.FAULT, ("nobody can sign in",)),
    ("grant_types_supported", ["authorization_code"], "grants", Status.WARNING, ("first access token",)),
    ("code_challenge_methods_supported", ["plain"], "PKCE", Status.FAULT, ("plain", "not S256")),
    ("code_challenge_methods_supported", None, "PKCE", Status.WARNING, ("means no PKCE",)),
    (
        "scopes_supported",
        ["openid", "email", "profile.read", "profile.edit"],
        "scopes",
        Status.WARNING,
        ("not offline_access", "refresh tokens"),
    ),
    (
        "scopes_supported",
        ["openid", "offline_access"],
        "scopes",
        Status.WARNING,
        ("not profile.read, profile.edit", "GATEWAY_EDIT_PROFILE_SCOPE"),
    ),
    ("prompt_values_supported", ["none", "login"], "sign-up", Status.WARNING, ("not create", "sign up")),
    (
        "token_endpoint_auth_methods_supported",
        ["client_secret_basic"],
        "client authentication",
        Status.FAULT,
        ("client_secret_basic", "client_secret_post"),
    ),
    (
        "token_endpoint_auth_methods_supported",
        ["private_key_jwt"],
        "client authentication",
        Status.FAULT,
        ("set a certificate (GATEWAY_CLIENT_CERTIFICATE) instead",),
    ),
    (
        "token_endpoint_auth_methods_supported",
        None,
        "client authentication",
        Status.WARNING,
        ("means client_secret_basic alone",),
    ),
    (
        "id_token_signing_alg_values_supported",
        ["HS256", "none"],
        "signing algorithms",
        Status.FAULT,
        ("HS256, none", "no token so signed is believed", "shared secret"),
    ),
    (
        "id_token_signing_alg_values_supported",
        ["ES256"],
        "signing keys",
        Status.FAULT,
        ("holds RSA, and no key that verifies ES256",),
    ),
    ("end_session_endpoint", None, "sign-out", Status.WARNING, ("not at the authority",)),
    ("backchannel_logout_supported", None, "sign-out", Status.WARNING, ("GATEWAY_BACKCHANNEL_LOGOUT is 1",)),
    (
        "response_types_supported",
        ["id token\n\x1b[2Jx"],
        "response type",
        Status.FAULT,
        ("has nothing, and",),
    ),
]


@pytest.mark.parametrize("mismatch", MISMATCHES, ids=lambda mismatch: f"{mismatch[0]}={mismatch[1]!r}")
async def test_W7_a_mismatch_is_named_with_what_follows_from_it_and_what_helps(
    world: PlainWorld, mismatch: tuple[str, object, str, Status, tuple[str, ...]]
) -> None:
    member, value, check, status, said = mismatch
    world.provider.metadata[member] = value

    finding = (await found(world, backchannel_logout=member == "backchannel_logout_supported"))[check]

    assert finding.status is status
    text = f"{finding.detail} {finding.fix}"
    assert [part for part in said if part not in text] == [], text
    assert text.isprintable()


async def test_W7_a_key_set_with_keys_of_another_family_is_not_called_unreachable(world: PlainWorld) -> None:
    world.provider.jwks = [OtherKey("kanidm", "ES256").jwk()]
    world.provider.metadata["id_token_signing_alg_values_supported"] = ["RS256"]

    finding = (await found(world))["signing keys"]

    assert finding.status is Status.FAULT
    assert "holds EC, P-256, and no key that verifies RS256" in finding.detail
    assert "outgoing https" not in str(finding.fix)
    assert "id_token_signing_alg_values_supported" in str(finding.fix)

    world.provider.metadata["id_token_signing_alg_values_supported"] = ["ES256"]
    assert (await found(world))["signing keys"].status is Status.OK


async def test_W7_lists_that_are_not_there_forbid_nothing(world: PlainWorld) -> None:
    for member in LISTS:
        world.provider.metadata[member] = None
    findings = await found(world, response_mode="query", backchannel_logout=False)

    assert {one.check for one in findings.values() if one.status is Status.FAULT} == set()
    assert {one.check for one in findings.values() if one.status is Status.WARNING} == {
        "PKCE",
        "client authentication",
    }


async def test_W7_W9_the_apis_doctor_says_what_only_entra_can(world: PlainWorld) -> None:
    audience = {
        "authority": "https://op.example",
        "tenant_subdomain": "",
        "tenant_id": "",
        "client_id": "the-api",
    }
    settings = settings_for(world.app[SETTINGS].authority_map, **audience, allowed_clients="the-gateway")

    found = {one.check: one for one in await examine_api(settings, now=world.clock)}

    assert [one for one in found if one in api_metadata.CHECKS] == list(api_metadata.CHECKS)
    assert found["exchange"].status is Status.FAULT
    assert "is Entra's alone" in found["exchange"].detail
    assert found["client authentication"].status is Status.OK
    assert found["signing algorithms"].detail == "ES256, RS256 is accepted"
