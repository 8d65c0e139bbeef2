"""One world with the API of another team behind its gateway, and a person who asks it for things.

Owns the fixtures: `notes_stage` is made once for a module, and begins anew with each test that takes `writer`.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from yarl import URL

from devstack.embedded_valkey import EmbeddedValkey
from local_tenant.signing import SigningKey
from tests.stage.notes_upstream import Notes, notes_upstream, rows_file
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.world import World, worlds

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Stage:
    """One world for all of these tests, and the API of another team that its gateway leads to."""

    world: World
    notes: Notes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def notes_stage(
    valkey_server: EmbeddedValkey,
    signing_keys: Callable[[], SigningKey],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stage]:
    """Give both."""
    async with notes_upstream() as notes, worlds(valkey_server.url, signing_keys) as make:
        rows = rows_file(tmp_path_factory.mktemp("rows"), notes)
        yield Stage(await make(UPSTREAMS=rows), notes)


@pytest_asyncio.fixture(loop_scope="module")
async def writer(notes_stage: Stage) -> OtherFrontEnd:
    """Give Ada, signed in, and everything as it was at first."""
    await notes_stage.world.begin_again()
    notes_stage.notes.begin_again()
    return await notes_stage.world.signed_in()


@pytest.fixture
def notes(notes_stage: Stage) -> Notes:
    """Give the API of another team."""
    return notes_stage.notes


@pytest.fixture
def notes_world(notes_stage: Stage) -> World:
    """Give the world."""
    return notes_stage.world


@dataclass(frozen=True)
class Sent:
    """A request as a browser sends it."""

    method: str = "POST"
    path: str = "/api/notes"
    body: bytes = b"hello"
    headers: Headers = field(default_factory=dict)


HELLO = Sent()


async def ask(
    person: OtherFrontEnd, method: str, path: str, body: bytes = b"", headers: Headers | None = None
) -> Answer:
    """Call any path as it is written; no description of ours knows what another team's API answers."""
    async with person.session.request(
        method,
        URL(person.gateway_url + path, encoded=True),
        data=body or None,
        headers={"X-CSRF": "1", **(headers or {})},
        allow_redirects=False,
        skip_auto_headers={"Content-Type"},
    ) as response:
        return Answer(response.status, response.headers, (await response.read()).decode("latin-1"))


async def park(person: OtherFrontEnd, sent: Sent = HELLO) -> str:
    """Let a request wait for its person, who has confirmed; return its address."""
    refused = await ask(person, sent.method, sent.path, sent.body, sent.headers)
    assert (refused.status, refused.slug) == (403, "step-up-required"), refused.text
    assert await person.step_up(f"{refused.body['redirect']}&return_to=/check") == "/check"
    return f"/api/parked/{refused.body['parked']['id']}"
