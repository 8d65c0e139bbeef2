"""The session cookie: its attributes, its form, and that Valkey never holds it (S12 to S14)."""

import asyncio
from http.cookies import SimpleCookie

from yarl import URL

from gateway.session.cookie import SessionCookie
from tests.stage.witnesses import (
    SESSION,
    commands,
    everything_in,
    forget_commands,
    recording,
    tell_the_story,
    with_cookie,
)
from tests.stage.world import World


async def test_S12_every_cookie_has_the_attributes_of_its_kind_and_nothing_else_is_set(world: World) -> None:
    async with recording(world) as ada:
        await tell_the_story(ada)
        await ada.call("POST", "/auth/sign-out")

        lines = ada.set_cookies
    assert len(lines) >= 8
    for line in lines:
        assert len(line) <= 4096
        ((name, morsel),) = SimpleCookie(line).items()
        assert (morsel["secure"], morsel["httponly"], morsel["path"]) == (True, True, "/"), line
        assert morsel["domain"] == ""
        if name == SESSION:
            assert morsel["samesite"] == "Strict"
            assert not morsel.value or SessionCookie.parse(morsel.value), "opaque"
            assert not (morsel.value and morsel["max-age"]), "the browser forgets it with its last window"
        else:
            assert name.startswith("__Host-Http-flow-")
            assert morsel["samesite"] == "None", "the authority's cross-site POST must carry it"
            assert int(morsel["max-age"]) <= 600


async def test_S13_the_deleting_cookie_repeats_the_attributes(world: World) -> None:
    async with recording(world) as ada:
        await ada.sign_in()
        ada.seen.clear()
        await ada.call("POST", "/auth/sign-out")

        (line,) = ada.set_cookies
        assert not ada.cookie()
    morsel = SimpleCookie(line)[SESSION]
    assert morsel.value == ""
    assert morsel["max-age"] == "0"
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"], morsel["path"]) == (
        True,
        True,
        "Strict",
        "/",
    )


async def test_S13_each_flows_cookie_is_taken_back_when_it_ends(world: World) -> None:
    ada = await world.confirmed()

    names = [cookie.key for cookie in ada.session.cookie_jar if cookie.key.startswith("__Host-Http-")]
    assert names == [SESSION]


FORM = "f" * 22 + "." + "i" * 43 + "." + "s" * 43


FOREIGN = {
    "empty": "",
    "star": "*",
    "8 kB": "x" * 7_900,
    "nothing but dots": "..",
    "one short": FORM[:-1],
    "one long": FORM + "s",
    "four parts": FORM + ".s",
    "stars in the form": FORM.replace("f", "*"),
    "braces, which name a hash slot": FORM.replace("f", "{"),
    "percent": FORM.replace("i", "%"),
    "quotes": '"' + FORM + '"x',
    "a newline as cookies write it": '"' + FORM[:-1] + '\\012"',
    "a NUL as cookies write it": '"' + FORM[:-1] + '\\000"',
    "a command": "\\r\\nGET a",
    "not ASCII": "\u00fc" * 110,
    "JSON": "{}",
}


async def test_S14_a_cookie_of_another_form_never_reaches_valkey(world: World) -> None:
    await forget_commands(world.redis)

    for what, value in FOREIGN.items():
        answer = await with_cookie(world, value)
        about = await with_cookie(world, value, "/api/session")
        assert (answer.status, answer.slug) == (401, "sign-in-required"), what
        assert about.body["authenticated"] is False, what

    assert await commands(world.redis) == 0
    await with_cookie(world, FORM)
    assert await commands(world.redis) > 0, "and one of our form does"


async def test_S14_a_cookie_with_a_raw_control_character_never_reaches_valkey(world: World) -> None:
    await forget_commands(world.redis)
    url = URL(world.gateway_url)
    assert url.host
    assert url.port

    for byte in (b"\n", b"\r", b"\0", b"\x7f", b"\xff"):
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(
            b"GET /api/profile HTTP/1.1\r\nHost: localhost\r\nX-CSRF: 1\r\nConnection: close\r\n"
            b"Cookie: " + SESSION.encode() + b"=" + FORM[:-1].encode() + byte + b"s\r\n\r\n"
        )
        answer = await reader.read()
        writer.close()
        assert answer.split()[1] in {b"400", b"401"}, byte

    assert await commands(world.redis) == 0


def test_S14_a_line_end_after_the_form_is_another_form() -> None:
    assert SessionCookie.parse(FORM)
    for text in (FORM + "\n", FORM + "\r\n", "\n" + FORM, FORM.replace(".", "\n")):
        assert SessionCookie.parse(text) is None


def test_S14_ids_are_long_and_never_twice() -> None:
    cookies = [SessionCookie.new() for _ in range(100_000)]

    assert (
        len({cookie.id for cookie in cookies}) == len({cookie.secret for cookie in cookies}) == len(cookies)
    )
    assert all(len(cookie.id) == 43 for cookie in cookies[:100]), "256 bits"


async def test_S14_no_id_and_no_secret_of_a_cookie_is_in_valkey(world: World) -> None:
    async with recording(world) as ada:
        await tell_the_story(ada)
        held = await everything_in(world.redis)

        values = [morsel.value for line in ada.set_cookies for morsel in SimpleCookie(line).values()]
    pieces = {piece for value in values for piece in value.split(".") if len(piece) >= 40}
    assert len(pieces) >= 6, "two sessions with id and secret, and flows with a secret"
    for piece in pieces:
        assert piece.encode() not in held
    parsed = [cookie for value in values if (cookie := SessionCookie.parse(value))]
    assert any(cookie.ref.key.encode() in held for cookie in parsed), "the dump would show it"
    assert not any(cookie.secret in held for cookie in parsed)
