"""Who may call: S27, S40, S41, S42, and the sample's flaw E10 (no check of the bearer at all)."""

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_tenant.signing import SigningKey
from tests.stage.tenant import API, GATEWAY, TENANT_ID
from tests.unit.resource_api.stage import SCOPE, Stage, running_api

OTHER = "11111111-2222-4333-8444-555555555555"
CHANGE = {"city": "Turin"}


async def refused(stage: Stage, token: str) -> None:
    """Check that a token is refused as RFC 6750 says, without a reason, and that nobody was asked anything."""
    answer = await stage.patch(CHANGE, token)

    assert (answer.status, answer.slug) == (401, "invalid-token")
    assert answer.challenge.error == "invalid_token"
    assert answer.headers.getall("WWW-Authenticate") == ['Bearer realm="", error="invalid_token"']
    assert "detail" not in answer.body
    assert await stage.asked("token.on_behalf_of") == []


@pytest.mark.parametrize(
    "name, value",
    [
        ("iss", f"https://{OTHER}.ciamlogin.com/{OTHER}/v2.0"),
        ("iss", f"https://login.microsoftonline.com/{TENANT_ID}/v2.0"),
        ("iss", f"https://sts.windows.net/{TENANT_ID}/"),
        ("aud", f"api://{API}"),
        ("aud", [API, GATEWAY]),
        ("tid", OTHER),
        ("ver", "1.0"),
        ("azp", OTHER),
        ("azp", ...),
        ("azp", ""),
        ("azp", [GATEWAY]),
        ("oid", ...),
        ("sub", None),
        ("scp", ...),
        ("scp", None),
        ("scp", [SCOPE]),
        ("idtyp", "app"),
        ("exp", 1),
        ("exp", ...),
        ("exp", 1e300),
        ("iat", ...),
        ("iat", True),
    ],
)
async def test_S40_E10_a_claim_that_is_off_is_refused(stage: Stage, name: str, value: object) -> None:
    await refused(stage, stage.forged(**{name: value}))


async def test_S40_app_only_tokens_are_refused_even_with_the_scopes_name_as_role(stage: Stage) -> None:
    await refused(stage, stage.forged(scp=..., roles=[SCOPE], idtyp="app"))
    await refused(stage, stage.forged(scp=..., roles=[SCOPE]))


async def test_E10_a_token_that_nobody_signed_is_refused(stage: Stage) -> None:
    head, payload, _ = (await stage.token()).split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=").decode()

    await refused(stage, f"{head}.{payload}.{'A' * 342}")
    await refused(stage, f"{none}.{payload}.")


async def test_S41_no_other_token_of_the_tenant_opens_the_api(stage: Stage) -> None:
    signed_in = (await stage.world.signed_in()).body
    stepped_up = (await stage.world.stepped_up(email="grace@example.com")).body
    exchanged = (
        await stage.world.on_behalf_of(stepped_up["access_token"], "openid offline_access User.ReadWrite")
    ).body
    others = {
        "Graph token of the gateway": signed_in["access_token"],
        "Graph token of the API": exchanged["access_token"],
        "ID token of the gateway": stepped_up["id_token"],
        "ID token of the API": exchanged["id_token"],
        "refresh token of the gateway": stepped_up["refresh_token"],
        "refresh token of the API": exchanged["refresh_token"],
        "logout token": stage.keys.sign(
            stage.claims(events={"http://schemas.openid.net/event/backchannel-logout": {}}, scp=...)
        ),
    }

    for name, token in others.items():
        answer = await stage.patch(CHANGE, token)
        assert (name, answer.status, answer.slug) == (name, 401, "invalid-token")
    assert (await stage.held("grace@example.com")).get("city") != "Turin"


@pytest.mark.parametrize(
    "scp",
    [
        "",
        "User.Read",
        f"{SCOPE}.All",
        f"x{SCOPE}",
        SCOPE.lower(),
        f"{SCOPE},User.Read",
        f"User.Read\t{SCOPE}",
        f"api://{API}/{SCOPE}",
    ],
)
async def test_S27_the_scope_is_a_whole_word_or_missing(stage: Stage, scp: str) -> None:
    answer = await stage.patch(CHANGE, stage.forged(scp=scp))

    assert (answer.status, answer.slug) == (403, "insufficient-scope")
    assert (answer.challenge.error, answer.challenge.scope) == ("insufficient_scope", SCOPE)
    assert answer.body["scope"] == SCOPE
    assert await stage.asked("token.on_behalf_of") == []


async def test_S27_the_scope_may_stand_among_others(stage: Stage) -> None:
    answer = await stage.patch(CHANGE, stage.forged(scp=f"A.Read {SCOPE} B.Read"))

    # The forged token is believed here; it is the tenant that knows no such token.
    assert await stage.asked("token.on_behalf_of") != []
    assert answer.slug == "invalid-token"


@pytest.mark.parametrize("age", [None, 421, 100_000])
async def test_S27_an_old_sign_in_is_told_the_greatest_age(
    signing_keys: Callable[[], SigningKey], age: int | None
) -> None:
    async with running_api(signing_keys, max_age_seconds="300") as stage:
        when = {} if age is None else {"auth_time": int(stage.clock()) - age}
        answer = await stage.patch(CHANGE, stage.forged(**when))

        assert (answer.status, answer.slug) == (401, "insufficient-user-authentication")
        assert answer.challenge.error == "insufficient_user_authentication"
        assert answer.challenge.max_age == answer.body["max_age"] == 300
        assert await stage.asked("token.on_behalf_of") == []


async def test_S27_a_fresh_sign_in_goes_on(signing_keys: Callable[[], SigningKey]) -> None:
    async with running_api(signing_keys, max_age_seconds="300") as stage:
        await stage.patch(CHANGE, stage.forged(auth_time=int(stage.clock()) - 419))

        assert len(await stage.asked("token.on_behalf_of")) == 1


@pytest.mark.parametrize("acrs", [..., [], ["c2", "c11"], "c11", "c2 c3", [1], {"c1": True}, None, 1])
async def test_S27_a_missing_authentication_context_is_asked_for_in_entras_way(
    signing_keys: Callable[[], SigningKey], acrs: object
) -> None:
    async with running_api(signing_keys, acrs="c1") as stage:
        answer = await stage.patch(CHANGE, stage.forged(acrs=acrs))

        assert (answer.status, answer.slug) == (401, "insufficient-claims")
        challenge = answer.challenge
        assert challenge.error == "insufficient_claims"
        assert json.loads(challenge.claims or "") == {
            "access_token": {"acrs": {"essential": True, "value": "c1"}}
        }
        assert challenge.realm == ""
        assert challenge.client_id == API
        assert challenge.authorization_uri
        assert challenge.authorization_uri.endswith("/oauth2/v2.0/authorize")


@pytest.mark.parametrize("acrs", [["c1"], ["c2", "c1"], "c1", "c2 c1"])
async def test_S27_the_right_authentication_context_goes_on(
    signing_keys: Callable[[], SigningKey], acrs: object
) -> None:
    async with running_api(signing_keys, acrs="c1") as stage:
        await stage.patch(CHANGE, stage.forged(acrs=acrs))

        assert len(await stage.asked("token.on_behalf_of")) == 1


async def test_S42_without_keys_the_authority_is_at_fault_and_nobody_is_refused_for_good(
    stage: Stage,
) -> None:
    token = await stage.token()
    await stage.fault("keys", status=503, retry_after=9)

    answer = await stage.patch(CHANGE, token)
    assert (answer.status, answer.slug) == (503, "authority-unavailable")
    assert answer.headers["Retry-After"] == "9"

    await stage.world.ask("DELETE", "/admin/faults")
    stage.clock.now += 9
    assert (await stage.patch(CHANGE, token)).status == 200


async def test_S42_a_token_of_a_brand_new_key_is_believed(stage: Stage) -> None:
    assert (await stage.patch(CHANGE)).status == 200
    await stage.world.ask("POST", "/admin/keys/rotate", json={"retire_old": True})
    stage.tokens.clear()

    assert (await stage.patch({"city": "Genoa"})).status == 200


async def test_S40_no_odd_claims_ever_pass_or_break_anything(stage: Stage) -> None:
    names = st.sampled_from(["aud", "exp", "iat", "tid", "ver", "azp", "oid", "scp", "idtyp", "nbf", "acrs"])
    values = (
        st.none()
        | st.booleans()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=20).filter(lambda text: text.isprintable())
        | st.lists(st.integers(), max_size=2)
        | st.integers(max_value=1)
    )
    tokens: list[tuple[str, object, str]] = []

    @settings(max_examples=60)
    @given(name=names, value=values)
    def collect(name: str, value: object) -> None:
        tokens.append((name, value, stage.forged(**{name: value})))

    collect()
    for name, value, token in tokens:
        answer = await stage.patch(CHANGE, token)
        harmless = name in {"nbf", "acrs", "iat", "idtyp", "oid"}
        assert answer.status in ({401} if not harmless else {401, 403}) | (
            {403} if name == "scp" else set()
        ), (
            name,
            value,
            answer.text,
        )
    assert (await stage.held())["city"] != "Turin"
