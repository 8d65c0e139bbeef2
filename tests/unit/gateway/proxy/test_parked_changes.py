"""What would change is shown where it is known soon: an upstream that hangs, or trickles, hides no request."""

import time

import pytest

from gateway.proxy.exchange import Exchange
from gateway.proxy.parked_changes import ParkedChanges
from gateway.proxy.parked_form import ParkedRequest
from gateway.proxy.paths import UpstreamPaths
from gateway.session.sessions import SessionStore
from gateway.upstream_rows import UpstreamRow
from servicekit.outbound import outbound
from servicekit.upstream import Upstream
from tests.stage.raw_upstream import Answer, Asked, raw_upstream
from tests.unit.gateway.store_of_tests import begun

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n"
PATCH = ParkedRequest(
    "notes", "PATCH", "/api/notes/7", (("Content-Type", "application/merge-patch+json"),), b'{"a":1}'
)


async def hangs(asked: Asked) -> None:
    """Say nothing."""
    await asked.left()


async def stops(asked: Asked) -> None:
    """Say half of it."""
    await asked.say(HEAD, b'{"a"')
    await asked.left()


async def answers(asked: Asked) -> None:
    """Say all of it."""
    await asked.say(HEAD, b'{"a": 0}')


@pytest.mark.parametrize(
    "says, changes", [(answers, [{"field": "a", "from": 0, "to": 1}]), (hangs, None), (stops, None)]
)
async def test_what_would_change_is_shown_where_it_is_known_in_time(
    sessions: SessionStore, says: Answer, changes: object
) -> None:
    async with raw_upstream(says) as upstream, outbound() as network:
        rows = [
            UpstreamRow(name="notes-read", prefix="/api/notes", target=upstream.url),
            UpstreamRow(
                name="notes",
                prefix="/api/notes",
                target=upstream.url,
                methods=("PATCH",),
                scope="api://notes/a",
                park=True,
                reads="/api/notes",
            ),
        ]
        way = network.to(
            Upstream("notes-read", call_seconds=30), now=time.monotonic, on_turn=lambda _is_open: None
        )
        # No token is asked for, so that nobody needs to give one out.
        exchange = Exchange("notes-read", way, None, None, rule=None, seconds=30)  # type: ignore[arg-type]
        seen = ParkedChanges(
            UpstreamPaths(rows), {"notes-read": exchange}, own={}, seconds=5 if changes else 0.2
        )

        assert await seen.of(await begun(sessions), PATCH) == changes
