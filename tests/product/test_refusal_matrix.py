"""Every cause by which the authority refuses, at every place where it may: what the person gets, and what stays.

The rows are Entra's catalogue, the columns the four places where tokens are asked for.
"""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from devstack.embedded_valkey import EmbeddedValkey
from local_tenant.aadsts import CATALOGUE
from local_tenant.signing import SigningKey
from servicekit.token_threads import OPEN_SECONDS
from tests.stage.other_front_end import ADA, OtherFrontEnd
from tests.stage.witnesses import records
from tests.stage.world import World, worlds

# One world, on the module's event loop, serves all rows: making one for each took most of their time.
in_the_one_world = pytest.mark.asyncio(loop_scope="module")

CLAIMS: Final = (
    '{"access_token":{"capolids":{"essential":true,"values":["11111111-2222-3333-4444-555555555555"]}}}'
)


@dataclass(frozen=True)
class Outcome:
    """What comes of one cause at one place."""

    status: int
    slug: str
    session: bool = True
    redirect: bool = False
    level: int = logging.INFO


STEP_UP = Outcome(403, "step-up-required", redirect=True)
BLOCKED = Outcome(403, "access-blocked", level=logging.WARNING)
MISCONFIGURED = Outcome(500, "misconfigured", level=logging.ERROR)
AWAY = Outcome(503, "authority-unavailable", level=logging.WARNING)
ENDED = Outcome(401, "sign-in-required", session=False, redirect=True, level=logging.DEBUG)
SAVED = Outcome(200, "", level=logging.NOTSET)

# Outcomes by place: silent refresh, on-behalf-of, code redemption (a page: its status is 303).
KINDS: Final = {
    "interaction": (STEP_UP, STEP_UP, "sign-in-failed", logging.WARNING),
    "blocked": (BLOCKED, BLOCKED, "access-blocked", logging.WARNING),
    "misconfigured": (MISCONFIGURED, MISCONFIGURED, "misconfigured", logging.ERROR),
    # On behalf of: the API says invalid_token, the gateway tries once with a fresh one, and that goes through.
    "dead": (ENDED, SAVED, "sign-in-expired", logging.INFO),
    "away": (AWAY, AWAY, "authority-unavailable", logging.WARNING),
}

CAUSES: Final = {
    "50076": "interaction",
    "50079": "interaction",
    "50074": "interaction",
    "50078": "interaction",
    "50058": "interaction",
    "53003": "blocked",
    "65004": "blocked",
    "65001": "misconfigured",
    "90094": "misconfigured",
    "70000": "dead",
    "70008": "dead",
    "700082": "dead",
    "700084": "dead",
    "50173": "dead",
    "50057": "dead",
    "54005": "dead",
    "501481": "dead",
    "500112": "dead",
    "9002313": "dead",
    "50013": "dead",
    "500131": "dead",
    "500133": "dead",
    "50196": "dead",
    "900144": "misconfigured",
    "28000": "misconfigured",
    "28003": "misconfigured",
    "50011": "misconfigured",
    "70011": "misconfigured",
    "500011": "misconfigured",
    "700016": "misconfigured",
    "7000215": "misconfigured",
    "7000222": "misconfigured",
    "7000218": "misconfigured",
    "700027": "misconfigured",
    "700024": "misconfigured",
    "700211": "misconfigured",
    "700212": "misconfigured",
    "700213": "misconfigured",
    "700025": "misconfigured",
    "90023": "misconfigured",
    "90100": "misconfigured",
    "90055": "away",
    "status 500": "away",
    "status 503": "away",
    "body html": "away",
    "body reset": "away",
    "body empty": "away",
}


# Met at the authorize endpoint, at sign-in or by requests that we never send.
ELSEWHERE: Final = {
    *(70003, 70005, 700054, 70007, 90002, 90014, 50126, 7000114, 90033, 50147, 501491, 9010010),
    *(9002325, 9002326, 9002327),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world_of_all_rows(
    valkey_server: EmbeddedValkey, signing_keys: Callable[[], SigningKey]
) -> AsyncIterator[World]:
    async with worlds(valkey_server.url, signing_keys) as make:
        yield await make(JOURNEYS_PER_MINUTE="100000")


@pytest_asyncio.fixture(loop_scope="module")
async def world(world_of_all_rows: World) -> World:
    """The world, where nobody is signed in and nothing is wrong."""
    await world_of_all_rows.begin_again()
    # The rows of failures are more than the gateway takes in a row.
    world_of_all_rows.forward(OPEN_SECONDS)
    return world_of_all_rows


def test_A10_every_row_of_the_catalogue_is_here() -> None:
    assert set(CATALOGUE) == {int(cause) for cause in CAUSES if cause.isdigit()} | ELSEWHERE


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Everything that the log says, fields included."""
    return " ".join(
        str(vars(record)) for record in caplog.records if record.name.startswith(("gateway", "servicekit"))
    )


def fault(cause: str) -> dict[str, object]:
    """The tenant's switch for a cause."""
    what, _, value = cause.rpartition(" ")
    if what == "status":
        return {"status": int(value), "times": 1}
    if what == "body":
        return {"body": value, "status": 200, "times": 1}
    claims = {"claims": CLAIMS} if cause == "50076" else {}
    return {"aadsts": int(cause), "times": 1, **claims}


async def judge(ada: OtherFrontEnd, expected: Outcome, caplog: pytest.LogCaptureFixture) -> None:
    """Edit, and compare what comes of it."""
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        answer = await ada.call("PATCH", "/api/profile", {"city": "Oslo"})

    assert answer.status == expected.status, answer.text
    assert "AADSTS" not in answer.text
    assert "capolids" not in answer.text + str(answer.headers) + logged(caplog)
    if expected.slug:
        assert answer.slug == expected.slug
        assert ("redirect" in answer.body) == expected.redirect
        assert answer.body["reference"]
        levels = [record.levelno for record in caplog.records if record.name == "servicekit.problems"]
        assert expected.level in levels
    assert (await ada.call("GET", "/api/session")).body["authenticated"] == expected.session
    if expected.status in {429, 503}:
        assert int(answer.headers["Retry-After"]) > 0


@in_the_one_world
@pytest.mark.parametrize("cause", CAUSES)
async def test_A10_at_the_silent_refresh(world: World, cause: str, caplog: pytest.LogCaptureFixture) -> None:
    ada = await world.signed_in()
    await world.admin("PUT", "/faults/token.refresh_token", fault(cause))

    await judge(ada, KINDS[CAUSES[cause]][0], caplog)


@in_the_one_world
@pytest.mark.parametrize("cause", CAUSES)
async def test_A10_on_behalf_of(world: World, cause: str, caplog: pytest.LogCaptureFixture) -> None:
    ada = await world.confirmed()
    await world.admin("PUT", "/faults/token.on_behalf_of", fault(cause))

    await judge(ada, KINDS[CAUSES[cause]][1], caplog)


@in_the_one_world
@pytest.mark.parametrize("place", ["sign-in", "step-up"])
@pytest.mark.parametrize("cause", CAUSES)
async def test_A10_at_the_redemption_of_a_code(
    world: World, place: str, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    _, _, slug, level = KINDS[CAUSES[cause]]
    person = await (world.front_end() if place == "sign-in" else world.signed_in())
    before, keys = person.cookie(), records(await world.keys())
    await world.admin("PUT", "/faults/token.authorization_code", fault(cause))

    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        if place == "sign-in":
            location = await person.sign_in(ADA, "/auth/sign-in?return_to=/edit")
        else:
            location = await person.step_up("/auth/step-up?action=profile.edit&return_to=/edit")

    led = parse_qs(urlsplit(location).query)
    assert (urlsplit(location).path, led["type"], led["return_to"]) == ("/problem", [slug], ["/edit"])
    assert "AADSTS" not in location
    assert "capolids" not in location + logged(caplog)
    assert level in [record.levelno for record in caplog.records if record.name == "servicekit.problems"]
    assert person.cookie() == before
    assert records(await world.keys()) == keys, "nothing is left behind, and nothing is lost"
