"""The session that follows from a redeemed flow: written whole or not at all, whatever Redis and rivals do."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.flows.session_start import PAUSES, SessionStarts
from gateway.session.cookie import SessionCookie
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession, SessionStore, UserSession
from gateway.store.fields import Field
from gateway.store.redis.budget import current_budget
from gateway.store.scripts import CREATE, END, READ_ALL
from gateway.store.vault import Successor, Vault
from gateway.tokens.access_token import AccessToken
from gateway.tokens.broker import Redeemed
from gateway.tokens.id_token import Person
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import CACHE, ID_TOKEN, REFUSAL, TOKEN
from tests.stage.redis_wire import NOT_NOW, Command, runs
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, NOW, ada, begun

READ, EDIT = Resource("graph", "User.Read"), Resource("edit", "api://x/Edit")
NOTE, LASTING = RecordKind("note", str), RecordKind("lasting", str, survives_step_up=True)
KINDS = (TOKEN, REFUSAL, CACHE, NOTE, LASTING)
BROUGHT = Redeemed(
    Person("a-tenant", "ada", "sub-of-ada", "Ada Lovelace", "ada@example.com", "", {}),
    AccessToken("new", NOW + 600),
    json.dumps({"RefreshToken": {"r": 1}, "AccessToken": {"a": 1}, "IdToken": {"i": 1}}),
)
WEEK = 604_800
LATER = NOW + 60


class WatchedStore(SessionStore):
    """A store that writes down when it is asked to start a session, and with how much time for Redis."""

    def __init__(self, vault: Vault, clock: MovableClock) -> None:
        super().__init__(vault, now=clock, idle=IDLE, absolute=ABSOLUTE)
        self.asked_at: list[float] = []
        self.budgets: list[float | None] = []
        self.rival: LiveSession | None = None
        """A session to which somebody writes each time just before."""

    async def start(
        self,
        user: UserSession,
        records: Mapping[str, Field],
        *,
        cookie: SessionCookie,
        successor: Successor | None = None,
    ) -> LiveSession | None:
        """Write it down, and start."""
        budget = current_budget()
        self.asked_at.append(time.monotonic())
        self.budgets.append(budget.remaining if budget else None)
        if self.rival:
            rivals = await self.load(self.rival.cookie)
            assert rivals
            assert await rivals.records.put(LASTING.entry(f"written {len(self.asked_at)}", LATER))
        return await super().start(user, records, cookie=cookie, successor=successor)


@pytest.fixture
def store(vault: Vault, clock: MovableClock) -> WatchedStore:
    return WatchedStore(vault, clock)


@pytest.fixture
def starts(store: WatchedStore, clock: MovableClock) -> SessionStarts:
    return SessionStarts(store, KINDS, now=clock)


async def before_step_up(sessions: SessionStore, records: Mapping[str, Field] | None = None) -> LiveSession:
    """Return a session as the callback of its step-up reads it."""
    session = await begun(sessions, records)
    live = await sessions.load(session.cookie, everything=True)
    assert live
    return live


def assert_asked(store: WatchedStore, times: int) -> None:
    """Assert that the session was started so often, the first two at once, and the rest with growing pauses."""
    assert len(store.asked_at) == times
    pauses = [after - before for before, after in zip(store.asked_at, store.asked_at[1:], strict=False)]
    for pause, least in zip(pauses, (0, 0.05, 0.2, 0.8), strict=False):
        assert pause >= least


async def test_a_sign_in_starts_a_session_with_what_it_brought(
    starts: SessionStarts, store: WatchedStore, vault: Vault
) -> None:
    session = await starts.after_sign_in(ada(), BROUGHT, READ, None)

    assert session
    assert session.user == ada()
    assert await session.records.get(TOKEN, "graph") == BROUGHT.token
    assert await session.records.get(TOKEN, "edit") is None
    assert await session.records.get(CACHE) == b'{"RefreshToken":{"r":1}}'
    fields = await vault.read(session.ref, ["cache", "token:graph"])
    cache = vault.open(session.ref, "cache", fields["cache"], secret=session.cookie.secret)
    assert cache
    assert cache.expires_at == NOW + WEEK
    assert store.budgets == [pytest.approx(3.0, abs=0.001)]


async def test_S19_the_id_token_is_kept_where_a_flow_brings_it_to_be_shown(
    starts: SessionStarts, vault: Vault
) -> None:
    shown = await starts.after_sign_in(ada(), replace(BROUGHT, id_token="an.id.token"), READ, None)
    plain = await starts.after_sign_in(ada(), BROUGHT, READ, None)

    assert shown
    assert plain
    assert await shown.records.get(ID_TOKEN) == b"an.id.token"
    assert await plain.records.get(ID_TOKEN) is None
    fields = await vault.read(shown.ref, ["id_token"])
    kept = vault.open(shown.ref, "id_token", fields["id_token"], secret=shown.cookie.secret)
    assert kept
    assert kept.expires_at == NOW + WEEK


async def test_S15_the_session_that_the_browser_had_ends_and_leaves_nothing(
    starts: SessionStarts, sessions: SessionStore, store: WatchedStore
) -> None:
    before = await begun(sessions, LASTING.entry("old", LATER) | CACHE.entry(b"old", LATER))

    session = await starts.after_sign_in(ada(), BROUGHT, READ, before)

    assert session
    assert session.cookie.family != before.cookie.family
    assert await session.records.get(LASTING) is None
    assert await store.load(before.cookie) is None
    assert await store.why_ended(before.cookie) == "replaced"


async def test_R12_a_session_that_cannot_be_ended_now_costs_nobody_the_new_one(
    starts: SessionStarts,
    sessions: SessionStore,
    store: WatchedStore,
    way_to_redis: RequestProxy[Command],
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = await begun(sessions)
    way_to_redis.refuse(runs(END), NOT_NOW, times=None)

    session = await starts.after_sign_in(ada(), BROUGHT, READ, before)

    assert session
    assert await store.load(session.cookie)
    assert caplog.messages == ["session-before-not-ended"]


async def test_S20_a_session_that_is_ended_while_it_begins_does_not_begin(
    starts: SessionStarts, sessions: SessionStore, store: WatchedStore, way_to_redis: RequestProxy[Command]
) -> None:
    before = await begun(sessions, sub="another", oid="another")
    held = way_to_redis.hold(runs(CREATE))

    starting = asyncio.create_task(starts.after_sign_in(ada(), BROUGHT, READ, before))
    await held.reached()
    assert await store.end_matching(tid="a-tenant", sub="sub-of-ada", reason="signed-out") == 0
    held.release()

    assert await starting is None
    assert await store.load(before.cookie), "what the browser had is as before"


async def test_S15_a_step_up_gives_the_session_a_new_id_and_takes_along_what_survives(
    starts: SessionStarts, sessions: SessionStore, store: WatchedStore
) -> None:
    before = await before_step_up(
        sessions,
        LASTING.entry("kept", LATER)
        | NOTE.entry("gone", LATER)
        | CACHE.entry(b"weaker", LATER)
        | TOKEN.entry(AccessToken("of graph", LATER), LATER, "graph")
        | TOKEN.entry(AccessToken("weaker", LATER), LATER, "edit"),
    )

    session = await starts.after_step_up(ada(last_mfa_at=5), BROUGHT, EDIT, before)

    assert session
    assert session.cookie.family == before.cookie.family
    assert session.cookie.id != before.cookie.id
    live = await store.load(session.cookie, everything=True)
    assert live
    assert live.user.last_mfa_at == 5
    assert await live.records.get(LASTING) == "kept"
    assert await live.records.get(NOTE) is None
    assert await live.records.get(TOKEN, "graph") == AccessToken("of graph", LATER)
    assert await live.records.get(TOKEN, "edit") == BROUGHT.token
    assert await live.records.get(CACHE) == b'{"RefreshToken":{"r":1}}'
    assert await store.load(before.cookie) is None
    assert await store.why_ended(before.cookie) == "rotated"
    assert store.budgets == [pytest.approx(3.0, abs=0.001)]


async def test_S15_a_session_that_has_ended_has_no_successor(
    starts: SessionStarts, sessions: SessionStore, store: WatchedStore
) -> None:
    before = await before_step_up(sessions)
    await store.end(before, "signed-out")

    assert await starts.after_step_up(ada(), BROUGHT, EDIT, before) is None
    assert_asked(store, 1)


async def test_R13_what_another_tab_wrote_meanwhile_goes_along(
    starts: SessionStarts, sessions: SessionStore, store: WatchedStore
) -> None:
    before = await before_step_up(sessions, LASTING.entry("old", LATER))
    other = await store.load(before.cookie)
    assert other
    await other.records.put(LASTING.entry("parked meanwhile", LATER))

    session = await starts.after_step_up(ada(), BROUGHT, EDIT, before)

    assert session
    assert await session.records.get(LASTING) == "parked meanwhile"
    assert_asked(store, 2)


async def test_R13_a_session_that_is_written_without_end_is_not_replaced(
    starts: SessionStarts, sessions: SessionStore, store: WatchedStore
) -> None:
    before = await before_step_up(sessions)
    store.rival = before

    with pytest.raises(SessionStoreUnavailable) as failed:
        await starts.after_step_up(ada(), BROUGHT, EDIT, before)

    assert failed.value.log_detail == "Overtaken"
    assert_asked(store, 5)
    assert await store.load(before.cookie)


@pytest.mark.parametrize("stumbles", [1, 4])
async def test_R12_a_redis_that_stumbles_loses_no_session(
    starts: SessionStarts,
    sessions: SessionStore,
    store: WatchedStore,
    way_to_redis: RequestProxy[Command],
    stumbles: int,
) -> None:
    before = await before_step_up(sessions, LASTING.entry("kept", LATER))
    refused = way_to_redis.refuse(runs(CREATE), NOT_NOW, times=stumbles)

    session = await starts.after_step_up(ada(), BROUGHT, EDIT, before)

    assert session
    assert len(refused.met) == stumbles
    assert_asked(store, stumbles + 1)
    assert await session.records.get(LASTING) == "kept"
    assert await store.load(before.cookie) is None


async def test_R12_a_redis_that_takes_nothing_leaves_the_session_as_it_was(
    starts: SessionStarts, sessions: SessionStore, store: WatchedStore, way_to_redis: RequestProxy[Command]
) -> None:
    before = await before_step_up(sessions)
    way_to_redis.refuse(runs(CREATE), NOT_NOW, times=None)

    with pytest.raises(SessionStoreUnavailable) as failed:
        await starts.after_step_up(ada(), BROUGHT, EDIT, before)

    assert failed.value.log_detail == "SessionStoreUnavailable"
    assert_asked(store, 5)
    assert await store.load(before.cookie) == before


async def test_R13_a_session_that_could_not_be_read_again_is_read_before_the_next_try(
    starts: SessionStarts, sessions: SessionStore, store: WatchedStore, way_to_redis: RequestProxy[Command]
) -> None:
    before = await before_step_up(sessions, LASTING.entry("old", LATER))
    other = await store.load(before.cookie)
    assert other
    await other.records.put(LASTING.entry("new", LATER))
    way_to_redis.refuse(runs(READ_ALL), NOT_NOW)

    session = await starts.after_step_up(ada(), BROUGHT, EDIT, before)

    assert session
    assert await session.records.get(LASTING) == "new"
    assert len(store.asked_at) == 2, "overtaken once, and not once more"


def test_whoever_waits_for_a_redis_that_stumbles_waits_for_little_more_than_a_second() -> None:
    assert 1 < sum(PAUSES) < 1.2
