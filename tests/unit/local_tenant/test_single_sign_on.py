"""Who is asked again, and who is remembered: the session at the authority, ``prompt``, hints and ``max_age``."""

from yarl import URL

from tests.stage.tenant import EDIT_SCOPE, GATEWAY, World, claims_of
from tests.stage.visitor import PASSWORDS


async def test_the_session_is_remembered_and_its_state_stays(world: World) -> None:
    visitor = world.visitor()
    first = await visitor.sign_in(world.authorize_url())
    second = await visitor.open(world.authorize_url())
    assert second.answer["session_state"] == first.answer["session_state"]
    assert second.answer["code"] != first.answer["code"]


async def test_the_session_ends_after_a_day(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    world.clock.now += 24 * 3600 - 1
    assert "code" in (await visitor.open(world.authorize_url())).answer
    world.clock.now += 1
    assert "password" in (await visitor.open(world.authorize_url())).form.inputs


async def test_the_sessions_cookie_is_for_no_script_and_no_other_site_and_dies_with_its_session(
    world: World,
) -> None:
    visitor = world.visitor()
    page = await visitor.open(world.authorize_url())
    ada = {"email": "ada@example.com", "password": PASSWORDS["ada@example.com"]}
    async with visitor.session.post(f"{world.url}{page.form.action}", data=ada) as answer:
        cookie = answer.cookies["stand_in_sso"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    await visitor.sign_in(world.authorize_url(prompt="login"), "grace@example.com")
    other = world.visitor()
    other.session.cookie_jar.update_cookies({"stand_in_sso": cookie.value}, URL(world.url))
    assert "password" in (await other.open(world.authorize_url())).form.inputs


async def test_prompt_none_answers_from_the_session(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    assert "code" in (await visitor.open(world.authorize_url(prompt="none"))).answer


async def test_prompt_none_says_interaction_required_where_a_second_factor_is_missing(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    answer = (await visitor.open(world.authorize_url(EDIT_SCOPE, prompt="none"))).answer
    assert answer["error"] == "interaction_required"
    assert answer["error_description"].startswith("AADSTS50076")


async def test_prompt_login_asks_again_and_keeps_the_session_of_the_same_person(world: World) -> None:
    visitor = world.visitor()
    first = await visitor.sign_in(world.authorize_url())
    again = await visitor.sign_in(world.authorize_url(prompt="login"))
    assert again.answer["session_state"] == first.answer["session_state"]


async def test_another_person_at_prompt_login_gets_another_session(world: World) -> None:
    visitor = world.visitor()
    first = await visitor.sign_in(world.authorize_url())
    other = await visitor.sign_in(world.authorize_url(prompt="login"), "grace@example.com")
    assert other.answer["session_state"] != first.answer["session_state"]
    tokens = await world.redeem(other)
    assert claims_of(tokens.body["id_token"])["name"] == "Grace Hopper"


async def test_max_age_asks_again_when_the_sign_in_is_older(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    world.clock.now += 120
    assert "code" in (await visitor.open(world.authorize_url(max_age="121"))).answer
    assert "password" in (await visitor.open(world.authorize_url(max_age="119"))).form.inputs


async def test_a_login_hint_fills_in_the_address(world: World) -> None:
    page = await world.visitor().open(world.authorize_url(login_hint="grace@example.com"))
    assert page.form.inputs["email"] == "grace@example.com"


async def test_a_login_hint_for_someone_else_asks_who_it_is(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    assert "code" in (await visitor.open(world.authorize_url(login_hint="ADA@example.com"))).answer
    for someone in ("grace@example.com", "nobody@example.com"):
        page = await visitor.open(world.authorize_url(login_hint=someone))
        assert page.form.inputs["email"] == someone


async def test_a_user_principal_name_is_a_login_hint_too(world: World) -> None:
    visitor = world.visitor()
    token = (await world.signed_in(visitor)).body["access_token"]
    name = (await world.me(token)).body["userPrincipalName"]
    assert name.endswith("@stepuplocal.onmicrosoft.com")
    assert "code" in (await visitor.open(world.authorize_url(login_hint=name))).answer


async def test_the_opaque_login_hint_claim_is_understood(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"optional_claims": {GATEWAY: ["login_hint"]}})
    visitor = world.visitor()
    hint = claims_of((await world.signed_in(visitor)).body["id_token"])["login_hint"]
    assert "@" not in hint
    assert "code" in (await visitor.open(world.authorize_url(login_hint=hint))).answer
    page = await world.visitor().open(world.authorize_url(login_hint=hint))
    assert page.form.inputs["email"] == "ada@example.com"


async def test_select_account_offers_the_account_and_another(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    page = await visitor.open(world.authorize_url(prompt="select_account"))
    assert "Continue as ada@example.com" in page.text
    assert "password" in (await visitor.follow(page, "Use another account")).form.inputs
    page = await visitor.open(world.authorize_url(prompt="select_account"))
    assert "code" in (await visitor.submit(page)).answer


async def test_a_hint_for_someone_else_comes_before_the_account_picker(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    hinted = {"prompt": "select_account", "login_hint": "grace@example.com"}
    assert (await visitor.open(world.authorize_url(**hinted))).form.inputs["email"] == "grace@example.com"
    hinted["login_hint"] = "ada@example.com"
    assert "Continue as ada@example.com" in (await visitor.open(world.authorize_url(**hinted))).text


async def test_people_are_asked_for_no_consent(world: World) -> None:
    assert "code" in (await world.visitor().sign_in(world.authorize_url(prompt="consent"))).answer
