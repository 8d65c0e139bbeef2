"""Edits whose end is unclear, and whether what people are told of them is true.

Owns rows L5, L13 and L14. What was saved is what Graph holds, whoever says otherwise.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from benchmarks.game_day.part_of_stack import change_part
from benchmarks.game_day.people import PROFILE, STEP_UP, Tenant, ada_signed_in, redis_command
from benchmarks.game_day.report import Report, Row, Size
from benchmarks.running import product
from devstack.stack import Stack
from tests.stage.http_wire import HttpRequest, HttpWire, asks
from tests.stage.other_front_end import Answer
from tests.stage.request_proxy import RequestProxy

_PATCH: Final = "graph.patch_me"
_CASES: Final[tuple[tuple[str, dict[str, Any], float], ...]] = (
    ("answers 12 s after it has applied it", {}, 0),
    ("applies it and answers 500", {"after": True, "status": 500}, 0),
    ("applies it, answers 503, and its replica lags 8 s", {"after": True, "status": 503}, 8),
    ("applies it and cuts the connection", {"after": True, "body": "reset"}, 0),
    ("applies it, cuts the connection, and its replica lags 8 s", {"after": True, "body": "reset"}, 8),
    ("answers 200 with HTML and does nothing", {"status": 200, "body": "html"}, 0),
    ("answers 200 with nothing and does nothing", {"status": 200, "body": "empty"}, 0),
    ("answers 400 and does nothing", {"status": 400}, 0),
    ("throttles for a minute and does nothing", {"status": 429, "retry_after": 60}, 0),
)


async def unclear_ends(report: Report, size: Size) -> None:  # noqa: ARG001 - one person is enough
    """Let edits end in nine ways, and hold what is told against what Graph holds."""
    false_saved = false_not_saved = 0
    async with _before_graph() as (stack, between), Tenant.of(stack) as tenant, ada_signed_in(stack) as ada:
        await ada.step_up(STEP_UP)
        between.slow(asks("PATCH", "/me"), 12, answered=True)
        for number, (what, fault, lag) in enumerate(_CASES):
            city = f"City {number}"
            await tenant.turn(graph_lag_seconds=lag)
            if fault:
                await tenant.fault(_PATCH, **fault)
            told = _told(await ada.call("PATCH", PROFILE, {"city": city}))
            between.heal()
            await tenant.heal()
            await tenant.turn(graph_lag_seconds=0)
            is_there = (await tenant.held())["city"] == city
            report.told(f"Graph {what}: told {told}, and it is {'' if is_there else 'not '}saved")
            false_saved += told == "saved" and not is_there
            false_not_saved += told == "not-saved" and is_there
    report.did(f"{len(_CASES)} edits, each of which ends in another way at Graph")
    report.promise("no false 'saved'", held=not false_saved, seen=false_saved)
    report.promise("no false 'not-saved'", held=not false_not_saved, seen=false_not_saved)


@asynccontextmanager
async def _before_graph() -> AsyncIterator[tuple[Stack, RequestProxy[HttpRequest]]]:
    """Run the product with a proxy between the resource API and all that it asks."""
    between = RequestProxy(HttpWire())
    async with between.running():
        with product() as stack:
            usual = stack.parts["api"].child.program
            way = {"RESOURCE_API_AUTHORITY_MAP": between.lead_to(stack.tenant_url)}
            changed = replace(usual, environment={**usual.environment, **way})
            await asyncio.to_thread(change_part, stack, "api", changed)
            yield stack, between


async def applied_late(report: Report, size: Size) -> None:  # noqa: ARG001 - one person is enough
    """Let Graph do an edit 14 s after it was asked, long after everybody has given up."""
    with product() as stack:
        async with Tenant.of(stack) as tenant, ada_signed_in(stack) as ada:
            await ada.step_up(STEP_UP)
            await tenant.fault(_PATCH, delay_ms=14_000)
            told = _told(await ada.call("PATCH", PROFILE, {"city": "Late"}))
            await asyncio.sleep(6)
            is_there = (await tenant.held())["city"] == "Late"
            seen = (await ada.call("GET", PROFILE)).body["city"] == "Late"
    report.did("Graph begins to work on an edit 14 s after it was asked")
    report.told(
        f"told {told}; later it is {'' if is_there else 'not '}saved, and the profile shows it: {seen}"
    )
    report.promise(
        "what was told is true",
        held=told == "unknown" or (told == "saved") == is_there,
        seen=f"{told}, saved: {is_there}",
    )
    report.promise("a look later shows how it is", held=seen == is_there, seen=seen)


async def after_a_step_up(report: Report, size: Size) -> None:  # noqa: ARG001 - one person is enough
    """Take the token endpoint, then Redis' memory, away right after a step-up."""
    with product() as stack:
        async with Tenant.of(stack) as tenant, ada_signed_in(stack) as ada:
            assert (await ada.call("GET", PROFILE)).status == 200
            await ada.step_up(STEP_UP)
            await tenant.fault("token.refresh_token", status=503)
            first = await ada.call("GET", PROFILE)
            await asyncio.to_thread(redis_command, stack, "CONFIG", "SET", "maxmemory", "1")
            second = await ada.call("GET", PROFILE)
    report.did("a person confirms; then the token endpoint is away, then Redis takes no write")
    report.promise(
        "the profile is read without the token endpoint", held=first.status == 200, seen=first.status
    )
    report.promise("and without a write", held=second.status == 200, seen=second.status)


async def parked_twice(report: Report, size: Size) -> None:  # noqa: ARG001 - one person is enough
    """Let a parked edit meet step-up once more, and lose that answer."""
    with product() as stack:
        async with ada_signed_in(stack) as ada:
            parked = await ada.call("PATCH", PROFILE, {"city": "Parked"})
            assert parked.slug == "step-up-required", parked.text
            name = parked.body["parked_edit"]["id"]
            again = await ada.call("POST", f"/api/parked-edits/{name}")
            still = await ada.call("GET", f"/api/parked-edits/{name}")
            await ada.step_up(parked.body["redirect"])
            saved = await ada.call("POST", f"/api/parked-edits/{name}")
    report.did("an edit is parked, and confirmed before the step-up; that answer is lost to the client")
    report.told(
        f"the first id is {name}, the second answer {again.status} names {again.body.get('parked_edit')}"
    )
    report.promise(
        "the edit is still there under the id that the client knows",
        held=still.status == 200,
        seen=still.status,
    )
    report.promise(
        "and is saved by it after the step-up",
        held=saved.status == 200,
        seen=f"{saved.status} {saved.text[:80]}",
    )


def _told(answer: Answer) -> str:
    """Return what the person reads: saved, not-saved, unknown, or another problem by its name."""
    if answer.status == 200:
        return "saved"
    outcome = answer.body.get("outcome")
    if outcome is None and answer.status in {400, 422, 429}:
        return "not-saved"
    return str(outcome or answer.slug)


ROWS: Final = (
    Row("L5", "edits end unclearly at Graph", unclear_ends),
    Row("L5b", "Graph does an edit after everybody has given up", applied_late),
    Row("L13", "the token endpoint is away right after a step-up", after_a_step_up),
    Row("L14", "a parked edit meets step-up once more", parked_twice),
)
