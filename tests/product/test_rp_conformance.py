"""The OpenID Foundation's relying-party modules, told again as tests through the real callback (S3, S4).

A module that must be refused has to leave nothing: no session, no token, no cookie.
docs/reference/conformance.md lists them.
"""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.stage.id_token_shapes import (
    Shape,
    es256,
    expired,
    hs256,
    hs256_with_the_public_key,
    ps256,
    saying,
    signed_by_a_stranger,
    unsigned,
    without_kid,
    without_kid_among_several,
)
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.plain_provider import CLIENT, ISSUER, SID
from tests.stage.plain_world import PlainWorld, plain_world, problem_of
from tests.stage.witnesses import records

Scenario = Callable[[PlainWorld], Awaitable[None]]


@pytest.fixture
async def world(valkey: str) -> AsyncIterator[PlainWorld]:
    """Give a gateway whose authority is the plain provider."""
    async with plain_world(valkey) as world:
        yield world


async def nothing_is_left(world: PlainWorld) -> None:
    """No session, no token, no cookie, and in Redis no more than how often somebody tried."""
    assert not await world.is_signed_in()
    assert not world.person.cookie()
    assert records(await world.keys()) == []


async def signs_in(world: PlainWorld) -> None:
    """The flow ends with a session."""
    assert await world.sign_in() == "/edit"
    assert await world.is_signed_in()


def accepted(**members: Any) -> Scenario:
    """Take a sign-in although the token answer has these members."""

    async def scenario(world: PlainWorld) -> None:
        world.provider.answer = members
        await signs_in(world)

    return scenario


def shaped(shape: Shape) -> Scenario:
    """Take a sign-in with an ID token of this shape."""

    async def scenario(world: PlainWorld) -> None:
        world.provider.shape = functools.partial(shape, world.provider)
        await signs_in(world)

    return scenario


def refused(*shapes: Shape, slug: str = "sign-in-failed") -> Scenario:
    """Refuse an ID token of each of these shapes."""

    async def scenario(world: PlainWorld) -> None:
        for number_of_it, shape in enumerate(shapes, 1):
            world.provider.shape = functools.partial(shape, world.provider)

            assert problem_of(await world.sign_in()) == slug

            assert world.provider.requests["authorization_code"] == number_of_it
            await nothing_is_left(world)

    return scenario


async def _discovers_what_it_needs(world: PlainWorld) -> None:
    await signs_in(world)
    assert world.provider.requests["discovery"] >= 1
    assert world.provider.requests["keys"] == 1


async def _another_issuer_in_the_metadata(world: PlainWorld) -> None:
    for issuer in ("https://another.example", f"{ISSUER}/another"):  # MSAL alone would take the second
        world.provider.metadata = {"issuer": issuer}
        location = (await world.person.navigate("/auth/sign-in")).headers["Location"]
        if location.startswith(ISSUER):
            location = await world.sent(world.provider.authorize(location))
        assert problem_of(location) == "misconfigured"
    assert world.provider.requests["authorization_code"] == 0
    await nothing_is_left(world)


async def _keys_roll(world: PlainWorld) -> None:
    await signs_in(world)
    world.provider.rotate()
    await signs_in(world)
    assert world.provider.requests["keys"] == 2


async def _keys_roll_just_before_signing(world: PlainWorld) -> None:
    await signs_in(world)
    answer = await world.answered()
    world.provider.rotate()
    assert await world.sent(answer) == "/edit"
    assert await world.is_signed_in()


async def _profile_after_a_refresh(world: PlainWorld) -> Any:
    world.provider.answer = {"expires_in": 20}
    await signs_in(world)
    world.clock.now += 20
    return await world.person.call("GET", "/api/profile")


async def _refreshes(world: PlainWorld) -> None:
    assert (await _profile_after_a_refresh(world)).body["displayName"] == "Ada Lovelace"
    assert world.provider.requests["refresh_token"] == 1


def _refresh_by_another(shape: Shape) -> Scenario:
    async def scenario(world: PlainWorld) -> None:
        op = world.provider
        op.shape = lambda claims: op.signing.token(claims) if "nonce" in claims else shape(op, claims)

        answer = await _profile_after_a_refresh(world)

        assert (answer.status, answer.body["reason"]) == (401, "revoked")
        assert op.requests["refresh_token"] == 1
        assert op.requests["me"] == 0, "the token that came with it was used"
        assert [key for key in records(await world.keys()) if not key.endswith(":ended")] == []

    return scenario


def _refresh_refused(shape: Shape) -> Scenario:
    """Refuse what came, and keep the session: the authority's own mistake signs nobody out."""

    async def scenario(world: PlainWorld) -> None:
        op = world.provider
        op.shape = lambda claims: op.signing.token(claims) if "nonce" in claims else shape(op, claims)

        answer = await _profile_after_a_refresh(world)

        assert (answer.status, answer.slug) == (503, "authority-unavailable")
        assert op.requests["refresh_token"] == 1
        assert op.requests["me"] == 0, "the token that came with it was used"
        assert await world.is_signed_in()

    return scenario


async def _an_error_comes_by_form_post(world: PlainWorld) -> None:
    state = (await world.answered())["state"]
    location = await world.sent({"error": "access_denied", "state": state, "iss": ISSUER})
    assert problem_of(location) == "sign-in-cancelled"
    assert world.provider.requests["authorization_code"] == 0
    await nothing_is_left(world)


def _answer_refused(slug: str, **changed: str | None) -> Scenario:
    async def scenario(world: PlainWorld) -> None:
        answer = {**await world.answered(), **changed}
        location = await world.sent({name: value for name, value in answer.items() if value is not None})
        assert problem_of(location) == slug
        assert world.provider.requests["authorization_code"] == 0
        assert not await world.is_signed_in()
        assert [key for key in records(await world.keys()) if not key.startswith("stepup:flow:")] == []

    return scenario


async def _signs_out(world: PlainWorld) -> None:
    await signs_in(world)
    answer = await world.person.call("POST", "/auth/sign-out")
    parts = urlsplit(answer.body["redirect"])
    query = parse_qs(parts.query)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/end"
    assert query == {"post_logout_redirect_uri": [f"{world.gateway_url}/"], "client_id": [CLIENT]}
    assert not await world.is_signed_in()
    assert (await world.person.navigate("/")).status == 200


async def _comes_back_from_sign_out_with_a_state(world: PlainWorld) -> None:
    await _signs_out(world)
    assert (await world.person.navigate("/?state=never-sent")).status == 200
    assert not await world.is_signed_in()


async def _front_channel(world: PlainWorld) -> None:
    await signs_in(world)
    async with OtherFrontEnd.open(world.gateway_url, ISSUER) as frame:
        for sid, iss, lives in (
            (SID, "https://another.example", True),
            ("another", ISSUER, True),
            (SID, ISSUER, False),
        ):
            response = await frame.navigate(f"/auth/frontchannel-logout?iss={iss}&sid={sid}")
            assert response.status == 200
            assert await world.is_signed_in() is lives


async def _front_channel_after_our_own_sign_out(world: PlainWorld) -> None:
    await _signs_out(world)
    response = await world.person.navigate(f"/auth/frontchannel-logout?iss={ISSUER}&sid={SID}")
    assert response.status == 200
    assert not await world.is_signed_in()


OIDC: Final = "oidcc-client-test"
FAPI: Final = "fapi2-security-profile-final-client-test"
NONSENSE: Final = {"kty": "NEW", "kid": "new", "use": "sig", "alg": "NEW-1", "x": "AAAA"}


async def _passes_over_keys_of_no_use(world: PlainWorld) -> None:
    world.provider.jwks.insert(0, NONSENSE)
    await signs_in(world)


MODULES: Final[dict[str, Scenario]] = {
    OIDC: signs_in,
    f"{OIDC}-discovery-openid-config": _discovers_what_it_needs,
    f"{OIDC}-discovery-jwks-uri-keys": _discovers_what_it_needs,
    f"{OIDC}-discovery-issuer-mismatch": _another_issuer_in_the_metadata,
    f"{OIDC}-idtoken-sig-rs256": signs_in,
    f"{OIDC}-idtoken-sig-none": refused(unsigned),
    f"{OIDC}-invalid-sig-rs256": refused(signed_by_a_stranger),
    f"{OIDC}-invalid-sig-hs256": refused(hs256, hs256_with_the_public_key),
    f"{OIDC}-invalid-sig-es256": refused(es256),
    f"{OIDC}-invalid-iss": refused(saying(iss="https://another.example")),
    f"{OIDC}-invalid-aud": refused(saying(aud="another")),
    f"{OIDC}-missing-aud": refused(saying(aud=None)),
    f"{OIDC}-missing-iat": refused(saying(iat=None)),
    f"{OIDC}-missing-sub": refused(saying(sub=None)),
    f"{OIDC}-nonce-invalid": refused(saying(nonce="of-somebody-else")),
    f"{OIDC}-kid-absent-single-jwks": shaped(without_kid),
    f"{OIDC}-kid-absent-multiple-jwks": refused(without_kid_among_several),
    f"{OIDC}-ignores-unparseable-key-in-jwks": _passes_over_keys_of_no_use,
    f"{OIDC}-signing-key-rotation": _keys_roll,
    f"{OIDC}-signing-key-rotation-just-before-signing": _keys_roll_just_before_signing,
    f"{OIDC}-refresh-token": _refreshes,
    f"{OIDC}-refresh-token-invalid-issuer": _refresh_by_another(saying(iss="https://another.example")),
    f"{OIDC}-refresh-token-invalid-sub": _refresh_by_another(saying(sub="subject-2")),
    f"{OIDC}-refresh-token-invalid-aud": _refresh_refused(saying(aud="another")),
    f"{OIDC}-refresh-token-invalid-azp": _refresh_refused(saying(azp="another")),
    f"{OIDC}-form-post-error": _an_error_comes_by_form_post,
    f"{OIDC}-rp-init-logout": _signs_out,
    f"{OIDC}-rp-init-logout-no-state": _signs_out,
    f"{OIDC}-rp-init-logout-other-state": _comes_back_from_sign_out_with_a_state,
    f"{OIDC}-rp-frontchannel-opinitlogout": _front_channel,
    f"{OIDC}-rp-frontchannel-rpinitlogout": _front_channel_after_our_own_sign_out,
    f"{FAPI}-happy-path": signs_in,
    f"{FAPI}-discovery-issuer-mismatch": _another_issuer_in_the_metadata,
    f"{FAPI}-invalid-iss": refused(saying(iss="https://another.example")),
    f"{FAPI}-invalid-aud": refused(saying(aud="another")),
    f"{FAPI}-invalid-secondary-aud": refused(saying(aud=[CLIENT, "another"])),
    f"{FAPI}-valid-aud-as-array": shaped(saying(aud=[CLIENT])),
    f"{FAPI}-invalid-null-alg": refused(unsigned),
    f"{FAPI}-invalid-alternate-alg": refused(ps256),
    f"{FAPI}-invalid-expired-exp": refused(
        expired, slug="misconfigured"
    ),  # a token that came just now is old: clocks differ
    f"{FAPI}-invalid-missing-exp": refused(saying(exp=None)),
    f"{FAPI}-invalid-missing-aud": refused(saying(aud=None)),
    f"{FAPI}-invalid-missing-iss": refused(saying(iss=None)),
    f"{FAPI}-invalid-nonce": refused(saying(nonce="of-somebody-else")),
    f"{FAPI}-invalid-missing-nonce": refused(saying(nonce=None)),
    f"{FAPI}-invalid-authorization-response-iss": _answer_refused("sign-in-failed", iss="https://a.example"),
    f"{FAPI}-remove-authorization-response-iss": _answer_refused("sign-in-failed", iss=None),
    f"{FAPI}-ensure-authorization-response-with-invalid-state-fails": _answer_refused(
        "sign-in-expired", state="of-somebody-else"
    ),
    f"{FAPI}-ensure-authorization-response-with-invalid-missing-state-fails": _answer_refused(
        "sign-in-failed", state=None
    ),
    f"{FAPI}-token-endpoint-response-without-expires_in": accepted(expires_in=None),
    f"{FAPI}-token-type-case-insensitivity": accepted(token_type="bEARER"),
}


@pytest.mark.parametrize("module", MODULES)
async def test_S3_S4_an_openid_relying_party_module(world: PlainWorld, module: str) -> None:
    await MODULES[module](world)
