"""What becomes of a request that step-up interrupts: it waits, or its person hears why it does not."""

import pytest

from gateway.audit.activity import Activity
from gateway.audit.recorder import Audit
from gateway.counts import Counts
from gateway.demand import Demand
from gateway.errors import StepUpRequired
from gateway.flows.access_rules import rules_of
from gateway.flows.step_up import StepUps
from gateway.proxy.interruptions import NO_ROOM, TOO_LARGE, Interruptions
from gateway.proxy.parked_form import ParkedRequest
from gateway.proxy.parked_requests import PARKED_SECONDS, ParkedRequests
from gateway.session.sessions import SessionStore
from gateway.store.vault import SESSION_BYTES, Vault
from gateway.timestamps import rfc3339
from gateway.tokens.resources import Resource, Resources
from tests.stage.tenant import MovableClock
from tests.unit.gateway.proxy.waiting import NOISE, POST, anew, park
from tests.unit.gateway.store_of_tests import begun

LARGE = ParkedRequest("notes", "PUT", "/api/notes/7", (), NOISE)
REQUIRED = StepUpRequired(Demand("a-scope"))


class Heard(Counts):
    """Keeps what was told of parked requests."""

    def __init__(self) -> None:
        self.parked_ones: list[tuple[str, str]] = []

    def parked(self, upstream: str, outcome: str) -> None:
        """Hear it."""
        self.parked_ones.append((upstream, outcome))


@pytest.fixture
def heard() -> Heard:
    """Give the counts."""
    return Heard()


@pytest.fixture
def interruptions(vault: Vault, clock: MovableClock, parked: ParkedRequests, heard: Heard) -> Interruptions:
    """Give what decides."""
    resources = Resources(Resource("graph", "read"), Resource("edit", "a-scope"))
    step_ups = StepUps(now=clock, resources=resources, rules=rules_of(resources))
    return Interruptions(parked, step_ups, Audit(vault, Activity(vault), None, now=clock), heard)


async def test_it_waits_with_the_challenge_that_it_met(
    interruptions: Interruptions, parked: ParkedRequests, sessions: SessionStore, heard: Heard
) -> None:
    session = await begun(sessions)

    step_up = await interruptions.kept(session, REQUIRED, POST)

    assert step_up.members["redirect"].startswith("/auth/step-up?challenge=")
    assert (await parked.get(await anew(sessions, session), step_up.members["parked"]["id"])).body == b"hello"
    assert "parked" not in REQUIRED.members, "others may share what was raised"
    assert heard.parked_ones == [("notes", "waits")]


async def test_A2_who_parked_too_much_hears_that_it_does_not_wait_and_one_that_waits_is_not_lost(
    interruptions: Interruptions,
    parked: ParkedRequests,
    sessions: SessionStore,
    clock: MovableClock,
    heard: Heard,
) -> None:
    session = await begun(sessions)
    identifier = await park(parked, session, LARGE)
    began = clock()
    for _ in range(2):
        _, entry = parked.parking(LARGE)
        assert await parked.has_room(session, entry)
    clock.now += 60

    another = await interruptions.kept(session, REQUIRED, LARGE)
    async with parked.claimed(session, identifier) as claim:
        await claim.begin()
        again = await interruptions.kept(session, REQUIRED, claim.request, claim=claim)

    assert ("parked" in another.members, another.detail) == (False, NO_ROOM)
    assert again.members["parked"] == {"id": identifier, "expires_at": rfc3339(began + PARKED_SECONDS)}
    async with parked.claimed(await anew(sessions, session), identifier) as claim:
        assert claim.request.body == NOISE
    assert heard.parked_ones == [("notes", "no-room"), ("notes", "waits")]


async def test_A2_a_session_without_room_says_so(
    interruptions: Interruptions, sessions: SessionStore, vault: Vault
) -> None:
    session = await begun(sessions)
    await vault.redis.hset(session.ref.key, "claims", "x" * SESSION_BYTES)

    step_up = await interruptions.kept(session, REQUIRED, POST)

    assert ("parked" in step_up.members, step_up.detail) == (False, NO_ROOM)


async def test_what_is_too_large_says_so(
    interruptions: Interruptions, sessions: SessionStore, heard: Heard
) -> None:
    step_up = await interruptions.not_kept(await begun(sessions), REQUIRED, "notes")

    assert ("parked" in step_up.members, step_up.detail) == (False, TOO_LARGE)
    assert step_up.members["redirect"]
    assert heard.parked_ones == [("notes", "too-large")]
