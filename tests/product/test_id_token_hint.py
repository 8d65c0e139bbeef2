"""Signing out at a provider that wants to see the ID token: in the body of a form, and nowhere else."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from tests.stage.other_front_end import Answer
from tests.stage.plain_provider import CLIENT, ISSUER, Claims
from tests.stage.plain_world import PlainWorld, plain_world
from tests.stage.witnesses import everything_in

PAGE = "/auth/end-session?ticket="


class Form(HTMLParser):
    """The one form of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: dict[str, str] = {}
        self.fields: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            assert not self.attributes
            self.attributes = given
        elif tag == "input":
            self.fields[given["name"]] = given["value"]


@pytest.fixture
async def world(valkey: str) -> AsyncIterator[PlainWorld]:
    """Give a gateway that shows ID tokens, its provider, and Ada signed in."""
    async with plain_world(valkey, ID_TOKEN_HINT="1") as world:
        await sign_in(world)
        yield world


issued: list[str] = []


async def sign_in(world: PlainWorld) -> str:
    """Sign in; return the ID token that the provider gave."""

    def signed(claims: Claims) -> str:
        issued.append(world.provider.signing.token(claims))
        return issued[-1]

    world.provider.shape = signed
    assert await world.sign_in() == "/edit"
    return issued[-1]


async def signs_out(world: PlainWorld) -> Answer:
    return await world.person.call("POST", "/auth/sign-out")


async def test_W10_the_id_token_is_shown_in_the_body_of_a_form_and_nowhere_else(world: PlainWorld) -> None:
    id_token = issued[-1]

    redirect = (await signs_out(world)).body["redirect"]
    kept = await everything_in(world.redis)
    page = await world.person.navigate(redirect)

    assert redirect.startswith(f"{world.gateway_url}{PAGE}")
    assert not await world.is_signed_in(), "the session is gone first"
    form = Form(page.text)
    assert (form.attributes["method"], form.attributes["action"]) == ("post", f"{ISSUER}/end")
    assert form.fields == {
        "id_token_hint": id_token,
        "client_id": CLIENT,
        "post_logout_redirect_uri": f"{world.gateway_url}/",
    }
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'sha256-" in policy
    assert f"form-action {ISSUER} 'self' https:;" in policy
    for part in id_token.split("."):
        assert part not in redirect
        assert part.encode() not in kept, "it lies there sealed"


async def test_W10_a_ticket_counts_once_and_for_a_minute(world: PlainWorld) -> None:
    redirect = (await signs_out(world)).body["redirect"]
    (key,) = [key for key in await world.keys() if ":end-session:" in key]
    assert 0 < await world.redis.ttl(key) <= 60
    assert redirect.rpartition("=")[2] not in key

    first, *others = [await world.person.navigate(redirect) for _ in range(3)]

    assert "id_token_hint" in first.text
    assert [(answer.status, answer.headers["Location"]) for answer in others] == [(303, "/")] * 2


@pytest.mark.parametrize("ticket", ["", "x", "x" * 43, "x" * 2_000, "%00", "{a}"])
async def test_W10_without_a_ticket_there_is_nothing_to_post(world: PlainWorld, ticket: str) -> None:
    answer = await world.person.navigate(PAGE + ticket)

    assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_W10_a_step_ups_id_token_takes_the_place_of_the_first(world: PlainWorld) -> None:
    first = issued[-1]
    await world.sent(await world.answered("/auth/step-up?action=profile.edit"))

    page = await world.person.navigate((await signs_out(world)).body["redirect"])

    assert Form(page.text).fields["id_token_hint"] == issued[-1] != first


async def test_W10_who_has_no_session_is_led_to_the_authority_as_ever(world: PlainWorld) -> None:
    await signs_out(world)

    again = (await signs_out(world)).body["redirect"]

    assert urlsplit(again)._replace(query="").geturl() == f"{ISSUER}/end"
    assert "id_token_hint" not in again


async def test_W10_without_the_setting_no_id_token_is_kept_or_shown(valkey: str) -> None:
    async with plain_world(valkey) as world:
        await sign_in(world)
        hashes = [key for key in await world.keys() if await world.redis.type(key) == b"hash"]
        names = {name for key in hashes for name in await world.redis.hkeys(key)}

        redirect = (await signs_out(world)).body["redirect"]

        assert b"cache" in names, "what a session holds was looked at"
        assert b"id_token" not in names
        assert urlsplit(redirect)._replace(query="").geturl() == f"{ISSUER}/end"
        assert [key for key in await world.keys() if "end-session" in key] == []
