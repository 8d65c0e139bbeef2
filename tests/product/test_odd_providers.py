"""Providers that do not know what we ask for, want more, or call themselves otherwise than their address."""

from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.doctor.examination import examine
from gateway.settings import PREFIX, Settings
from servicekit.doctor.authority import DISCOVERY
from servicekit.settings_faults import SettingsFault, load_settings
from tests.stage.id_token_shapes import saying
from tests.stage.plain_provider import CLIENT, ISSUER, SECRET
from tests.stage.plain_world import PlainWorld, plain_world, problem_of
from tests.stage.world import SEALING_KEY, gateway_settings

OTHER_ISSUER = "https://id.elsewhere.example/tenant"


async def asked(world: PlainWorld, path: str = "/auth/sign-in") -> dict[str, list[str]]:
    """Return what an authorization request asks for."""
    return parse_qs(urlsplit((await world.person.navigate(path)).headers["Location"]).query)


async def scopes(world: PlainWorld) -> set[str]:
    (scope,) = (await asked(world))["scope"]
    return set(scope.split())


@pytest.mark.parametrize(
    "supported, expected",
    [
        (["openid", "email", "profile"], {"openid", "profile", "profile.read"}),
        (
            ["openid", "email", "phone", "profile", "offline_access"],
            {"openid", "profile", "offline_access", "profile.read"},
        ),
        (["openid"], {"openid", "profile.read"}),
        ([], {"openid", "profile", "offline_access", "profile.read"}),
        (None, {"openid", "profile", "offline_access", "profile.read"}),
        ("openid profile", {"openid", "profile", "offline_access", "profile.read"}),
        ([1, None], {"openid", "profile", "offline_access", "profile.read"}),
    ],
    ids=["Google", "Keycloak", "the least", "nothing", "silent", "a text", "no texts"],
)
async def test_W4_a_scope_that_the_metadata_does_not_know_is_left_out(
    valkey: str, supported: object, expected: set[str]
) -> None:
    async with plain_world(valkey) as world:
        world.provider.metadata = {"scopes_supported": supported}

        assert await scopes(world) == expected
        assert await world.sign_in() == "/edit"


async def test_W4_a_provider_without_refresh_tokens_serves_for_as_long_as_its_access_token(
    valkey: str,
) -> None:
    async with plain_world(valkey) as world:
        world.provider.metadata = {"scopes_supported": ["openid", "email", "profile"]}
        world.provider.answer = {"refresh_token": None}
        await world.sign_in()

        assert (await world.person.call("GET", "/api/profile")).status == 200


@pytest.mark.parametrize("setting", ["email,groups", "email groups", "email, groups"])
async def test_W4_more_scopes_are_asked_for_where_a_setting_says_so(valkey: str, setting: str) -> None:
    async with plain_world(valkey, EXTRA_SCOPES=setting) as world:
        assert {"email", "groups", "openid", "offline_access", "profile.read"} <= await scopes(world)
        assert await world.sign_in() == "/edit"


async def test_W4_a_scope_of_ours_that_is_not_listed_can_be_insisted_on(valkey: str) -> None:
    async with plain_world(valkey, EXTRA_SCOPES="offline_access") as world:
        world.provider.metadata = {"scopes_supported": ["openid", "email"]}

        assert await scopes(world) == {"openid", "offline_access", "profile.read"}


async def test_W4_prompt_and_further_parameters_are_sent_as_set(valkey: str) -> None:
    async with plain_world(
        valkey,
        PROMPT="consent select_account",
        AUTHORIZE_PARAMETERS="access_type=offline&audience=https%3A%2F%2Fapi.example%2F&ui_locales=de%20en",
    ) as world:
        parameters = await asked(world)
        assert parameters["prompt"] == ["consent select_account"]
        assert parameters["access_type"] == ["offline"]
        assert parameters["audience"] == ["https://api.example/"]
        assert parameters["ui_locales"] == ["de en"]

        assert (await asked(world, "/auth/sign-up"))["prompt"] == ["create"]
        await world.sign_in()
        step_up = await asked(world, "/auth/step-up?action=profile.edit")
        assert "prompt" not in step_up, "a step-up asks for what it needs"
        assert step_up["access_type"] == ["offline"]


@pytest.mark.parametrize(
    "name, value, says",
    [
        ("AUTHORIZE_PARAMETERS", "state=x", "'state', which is ours to set"),
        (
            "AUTHORIZE_PARAMETERS",
            "a=b&redirect_uri=https://evil.example",
            "'redirect_uri', which is ours to set",
        ),
        ("AUTHORIZE_PARAMETERS", "prompt=none", "'prompt', which is ours to set"),
        ("AUTHORIZE_PARAMETERS", "a=b&a=c", "'a', which is there twice"),
        ("AUTHORIZE_PARAMETERS", "access_type", "is no query such as a=b&c=d"),
        ("EXTRA_SCOPES", 'email,x"y', "which is no scope"),
        ("PROMPT", "none", "GATEWAY_PROMPT"),
        ("PROMPT", "create", "GATEWAY_PROMPT"),
        ("AUTHORITY_ISSUER", "http://id.elsewhere.example", "GATEWAY_AUTHORITY_ISSUER"),
        ("AUTHORITY_ISSUER", OTHER_ISSUER, "GATEWAY_AUTHORITY_ISSUER is set without GATEWAY_AUTHORITY"),
    ],
)
def test_W4_W12_what_a_flow_rests_on_is_not_to_be_set(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsFault) as caught:
        gateway_settings(REDIS_URL="redis://localhost", **{name: value})

    assert says in str(caught.value)


@pytest.fixture
async def renamed(valkey: str) -> AsyncIterator[PlainWorld]:
    """Give a gateway whose authority names another issuer than its address."""
    async with plain_world(valkey, AUTHORITY_ISSUER=OTHER_ISSUER) as world:
        world.provider.metadata = {"issuer": OTHER_ISSUER}
        yield world


async def test_W12_an_authority_may_call_itself_otherwise_where_a_setting_says_so(
    renamed: PlainWorld,
) -> None:
    renamed.provider.shape = partial(saying(iss=OTHER_ISSUER), renamed.provider)
    answer = {**await renamed.answered(), "iss": OTHER_ISSUER}

    assert await renamed.sent(answer) == "/edit"
    assert (await renamed.person.call("GET", "/api/profile")).status == 200


async def test_W12_the_name_is_believed_to_the_letter(renamed: PlainWorld) -> None:
    for issuer in (ISSUER, f"{OTHER_ISSUER}/", OTHER_ISSUER.upper()):
        renamed.provider.shape = partial(saying(iss=issuer), renamed.provider)
        assert (
            problem_of(await renamed.sent({**await renamed.answered(), "iss": OTHER_ISSUER}))
            == "sign-in-failed"
        )
        renamed.provider.shape = None
        assert problem_of(await renamed.sent({**await renamed.answered(), "iss": issuer})) == "sign-in-failed"
    assert not await renamed.is_signed_in()


async def test_W12_without_the_setting_nobody_is_believed_and_the_doctor_names_it(valkey: str) -> None:
    async with plain_world(valkey) as world:
        world.provider.metadata = {"issuer": OTHER_ISSUER}
        refused = await world.person.navigate("/auth/sign-in")
        assert problem_of(refused.headers["Location"]) == "misconfigured"
        settings = load_settings(
            Settings,
            {
                f"{PREFIX}{name}": value
                for name, value in {
                    "AUTHORITY": ISSUER,
                    "AUTHORITY_MAP": world.person.visitor.tenant_url,
                    "CLIENT_ID": CLIENT,
                    "CLIENT_SECRET": SECRET,
                    "EDIT_PROFILE_SCOPE": "profile.edit",
                    "RESOURCE_API_URL": world.person.visitor.tenant_url,
                    "REDIS_URL": valkey,
                    "SEALING_KEYS": SEALING_KEY,
                }.items()
            },
            PREFIX,
        )

        (finding,) = [one for one in await examine(settings) if one.check == DISCOVERY]

    assert f"names the issuer {OTHER_ISSUER}, and we expect {ISSUER}" in finding.detail
    assert f"set GATEWAY_AUTHORITY_ISSUER={OTHER_ISSUER}" in str(finding.fix)
