"""Signing out by a form of ours, where the authority wants to see the ID token: under a ticket, once, for a minute."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.flows.end_session import EndSession, EndSessionForm
from gateway.session.sessions import LiveSession, SessionStore
from gateway.settings import Settings
from gateway.store.names import digest_of, record_key
from gateway.store.vault import Vault
from gateway.tokens.token_records import ID_TOKEN
from servicekit.errors import AuthorityUnavailable
from tests.stage.redis_wire import NOT_NOW, Command
from tests.stage.request_proxy import RequestProxy
from tests.stage.world import gateway_settings
from tests.unit.gateway.flows.test_end_session import ENDPOINT, HOME, Knowing, knowing
from tests.unit.gateway.store_of_tests import NOW, begun

TOKEN = "an.id.token"
PAGE = "https://app.example/auth/end-session?ticket="


@pytest.fixture
def settings() -> Settings:
    return gateway_settings(
        PUBLIC_URL="https://app.example", REDIS_URL="redis://localhost", ID_TOKEN_HINT="1"
    )


@pytest.fixture
def ends(vault: Vault, settings: Settings) -> EndSession:
    return EndSession(knowing(ENDPOINT), settings, vault)


@pytest.fixture
async def session(sessions: SessionStore) -> LiveSession:
    return await begun(sessions, ID_TOKEN.entry(TOKEN.encode(), NOW + 3600), claims={"login_hint": "opaque"})


def asked(settings: Settings, **more: str) -> dict[str, str]:
    return {"post_logout_redirect_uri": HOME, "client_id": settings.client_id, **more}


def assert_plain(url: str, settings: Settings, **more: str) -> None:
    """Assert that the browser goes to the authority at once, and carries no token."""
    parts = urlsplit(url)
    assert parts._replace(query="").geturl() == ENDPOINT
    assert parse_qs(parts.query) == {name: [value] for name, value in asked(settings, **more).items()}


async def ticket_of(ends: EndSession, session: LiveSession) -> str:
    url = await ends.redirect(session)
    assert url.startswith(PAGE)
    return url.removeprefix(PAGE)


async def test_S19_the_id_token_is_shown_in_a_form_once_and_in_no_address(
    ends: EndSession, session: LiveSession, settings: Settings
) -> None:
    ticket = await ticket_of(ends, session)

    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", ticket)
    fields = asked(settings, logout_hint="opaque", id_token_hint=TOKEN)
    assert await ends.form(ticket) == EndSessionForm(ENDPOINT, fields)
    assert await ends.form(ticket) is None


async def test_S33_the_form_lies_sealed_for_a_minute_and_the_ticket_opens_it(
    ends: EndSession, session: LiveSession, vault: Vault
) -> None:
    ticket = await ticket_of(ends, session)
    owner = digest_of(ticket)
    key = record_key("end-session", owner)

    assert 50 < await vault.redis.ttl(key) <= 60
    sealed = await vault.redis.get(key)
    opened = vault.ring.open(sealed, kind="end-session", owner=owner, secret=ticket.encode())
    assert TOKEN.encode() in opened


async def test_two_sign_outs_have_two_tickets(ends: EndSession, session: LiveSession) -> None:
    assert await ticket_of(ends, session) != await ticket_of(ends, session)


async def test_S19_where_no_setting_asks_for_it_nothing_is_shown(session: LiveSession, vault: Vault) -> None:
    plain = gateway_settings(PUBLIC_URL="https://app.example", REDIS_URL="redis://localhost")

    url = await EndSession(knowing(ENDPOINT), plain, vault).redirect(session)

    assert_plain(url, plain, logout_hint="opaque")


async def test_S19_without_a_session_or_an_id_token_the_browser_goes_there_at_once(
    ends: EndSession, sessions: SessionStore, settings: Settings
) -> None:
    assert_plain(await ends.redirect(None), settings)
    assert_plain(await ends.redirect(await begun(sessions)), settings)


async def test_R16_whoever_signs_out_comes_home_where_the_authority_has_no_such_place(
    session: LiveSession, settings: Settings, vault: Vault
) -> None:
    away: Knowing = Knowing(AuthorityUnavailable("away"))

    assert await EndSession(knowing(None), settings, vault).redirect(session) == HOME
    assert await EndSession(away, settings, vault).redirect(session) == HOME  # type: ignore[arg-type]  # as it asks


async def test_R2_without_redis_the_authority_is_shown_no_token(
    ends: EndSession, session: LiveSession, settings: Settings, way_to_redis: RequestProxy[Command]
) -> None:
    assert await session.records.get(ID_TOKEN) == TOKEN.encode()
    way_to_redis.refuse(lambda _: True, NOT_NOW, times=None)

    assert_plain(await ends.redirect(session), settings, logout_hint="opaque")


async def test_R2_a_form_that_redis_cannot_give_now_can_be_asked_for_later(
    ends: EndSession, session: LiveSession, way_to_redis: RequestProxy[Command]
) -> None:
    ticket = await ticket_of(ends, session)
    way_to_redis.refuse(lambda _: True, NOT_NOW, times=None)
    with pytest.raises(SessionStoreUnavailable):
        await ends.form(ticket)
    way_to_redis.heal()

    assert await ends.form(ticket)


async def test_what_cannot_be_a_ticket_asks_nobody(
    ends: EndSession, way_to_redis: RequestProxy[Command]
) -> None:
    assert await ends.form("t" * 64) is None
    way_to_redis.refuse(lambda _: True, NOT_NOW, times=None)

    assert [await ends.form(ticket) for ticket in ("", "t" * 65)] == [None, None]
    for ticket in ("t", "t" * 64):
        with pytest.raises(SessionStoreUnavailable):
            await ends.form(ticket)
