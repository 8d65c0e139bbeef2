"""What the busiest requests cost, by counts (R23, R26): a clock says how busy a computer is, a count what we do.

The bounds are a little above what is reached, and stand in the table of benchmarks/README.md, too: who makes a request
dearer sees it here and says why there.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pytest

from devstack.embedded_valkey import EmbeddedValkey
from tests.stage import other_apis
from tests.stage.raw_upstream import ok, raw_upstream, saying
from tests.stage.redis_traffic import CountedRedis
from tests.stage.request_cost import Connection, Cost, cost_of
from tests.stage.sources import ROOT
from tests.stage.world import World

SESSION, ROW, LIST = "/api/session", "/api/notes/7", "/api/sessions"
BOUNDS: Final = {
    SESSION: Cost(1, 1, 164, 1300, 140, 0),
    ROW: Cost(1, 1, 317, 850, 140, 1600),
    LIST: Cost(2, 1, 275, 1050, 360, 0),
}
TABLE: Final = re.compile(r"^\| `GET (?P<path>/api/\S+)` \|(?P<figures>[\d,| ]+)\|$", re.MULTILINE)


@pytest.fixture
async def counted(valkey_server: EmbeddedValkey) -> AsyncIterator[CountedRedis]:
    """Give an empty Valkey that counts what it is asked."""
    valkey_server.command("FLUSHALL")
    async with CountedRedis.before(valkey_server.url) as counted:
        yield counted


@pytest.fixture
def valkey(counted: CountedRedis) -> str:
    """Let the world's gateway ask the Valkey that counts."""
    return counted.url


async def test_R23_a_request_of_a_warm_session_costs_no_more_than(
    make_world: Callable[..., Awaitable[World]], counted: CountedRedis, tmp_path: Path
) -> None:
    body = ok(b'{"id": 7, "text": "a note of about a hundred bytes"}', "Content-Type: application/json")
    async with raw_upstream(saying(body)) as upstream:
        apis = other_apis.write(tmp_path, target=upstream.url)
        world = await make_world(tenant_file=apis.tenant_file, UPSTREAMS=str(apis.rows_file))
        ada = await world.signed_in()
        costs = {}
        for path in BOUNDS:
            async with Connection.open(world.gateway_url, path, ada.cookie()) as connection:
                costs[path] = await cost_of(connection, counted, upstream)

    # Whoever is signed out elsewhere is signed out here: no request does without Redis.
    assert min(costs[SESSION].commands, costs[ROW].commands) > 0, costs
    assert costs[SESSION].to_upstream == 0 < costs[ROW].to_upstream, costs
    for path, bound in BOUNDS.items():
        dearer = {
            name: (figure, asdict(bound)[name])
            for name, figure in asdict(costs[path]).items()
            if figure > asdict(bound)[name]
        }
        assert not dearer, f"{path}, figures and what they may be: {dearer}; all are {costs[path]}"
        assert bound.calls < 2.5 * costs[path].calls, (
            f"{path} became cheaper, and its bound did not: {costs[path]}"
        )


def test_the_benchmarks_page_says_the_same_bounds() -> None:
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    said = {
        row["path"]: Cost(*(int(figure.replace(",", "")) for figure in row["figures"].split("|")))
        for row in TABLE.finditer(page)
    }

    assert said == BOUNDS
