"""The id of an event: what a page was told of access, as this release and the release before write it (R27)."""

from collections.abc import Mapping

import pytest

from gateway.session.sessions import LiveSession, SessionStore
from gateway.session.watch import SessionWatch, written
from gateway.store.names import digest_of
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import begun

ALONE = {"profile.edit": "step-up"}
WITH_ROWS = {**ALONE, "notes": "untried"}
OTHER_ROWS = {**ALONE, "notes": "granted"}


class Watched:
    """A watch over a session whose access a test sets."""

    def __init__(self, sessions: SessionStore, session: LiveSession, clock: MovableClock) -> None:
        self.access: Mapping[str, str] = ALONE
        self.name = digest_of("events", session.ref.family)[:12]
        self._session = session
        self._watch = SessionWatch(sessions, self._access, session.cookie, now=clock, warning=0)

    async def _access(self, _session: LiveSession) -> Mapping[str, str]:
        return self.access

    async def told(self, last_id: str) -> list[str]:
        """Come back with the last id that was heard; return what is told."""
        return [event.name for event in await self._watch.begin(self._session, last_id) if event.name]

    async def news(self) -> list[Mapping[str, object]]:
        """Return the data of what is new since then."""
        return [event.data for event in await self._watch.look()]


@pytest.fixture
async def watched(sessions: SessionStore, clock: MovableClock) -> Watched:
    return Watched(sessions, await begun(sessions), clock)


def test_R27_without_upstreams_the_id_says_it_as_ever() -> None:
    assert (written(ALONE), written({"profile.edit": "granted"})) == ("step-up", "granted")


def test_with_upstreams_the_id_says_the_profile_s_and_has_a_digest_of_all() -> None:
    first, dot, digest = written(WITH_ROWS).partition(".")

    assert (first, dot, len(digest)) == ("step-up", ".", 12)
    assert written(dict(reversed(WITH_ROWS.items()))).partition(".")[2] == digest, "in any order of rows"
    for other in (OTHER_ROWS, {**ALONE, "memos": "untried"}, {**WITH_ROWS, "bills": "untried"}):
        assert written(other) != written(WITH_ROWS)


@pytest.mark.parametrize(
    "heard, now, told",
    [
        ("step-up", ALONE, []),
        ("granted", ALONE, ["access-changed"]),
        (written(WITH_ROWS), WITH_ROWS, []),
        (written(OTHER_ROWS), WITH_ROWS, ["access-changed"]),
        # Of a gateway without rows: the page knows of the profile's alone.
        ("step-up", WITH_ROWS, []),
        ("granted", WITH_ROWS, ["access-changed"]),
        # Of one with rows that has none any more.
        (written(WITH_ROWS), ALONE, ["access-changed"]),
        # No ids of ours count as none.
        ("untried", WITH_ROWS, []),
        ("step-up.", WITH_ROWS, []),
        ("step-up.short", WITH_ROWS, []),
        ("step-up.-23456789012.x", WITH_ROWS, []),
        ("step-up.notes=granted", WITH_ROWS, []),
    ],
)
async def test_R27_a_page_that_comes_back_hears_of_a_change_and_of_nothing_else(
    watched: Watched, heard: str, now: Mapping[str, str], told: list[str]
) -> None:
    watched.access = now

    assert await watched.told(f"{watched.name}.{heard}") == told
    assert await watched.news() == []


async def test_a_page_hears_all_members_when_one_of_them_changes(watched: Watched) -> None:
    watched.access = WITH_ROWS
    await watched.told("")

    watched.access = OTHER_ROWS

    assert await watched.news() == [{"access": OTHER_ROWS}]
    assert await watched.news() == []


@pytest.mark.parametrize("state", ["step-up", written(WITH_ROWS)])
async def test_an_id_of_another_session_says_that_it_is_over(watched: Watched, state: str) -> None:
    watched.access = WITH_ROWS

    assert await watched.told(f"{'x' * 12}.{state}") == ["session-ended"]
