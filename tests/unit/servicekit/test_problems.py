"""Problem details: one shape, one reference, and nothing of ours in them (S55)."""

import asyncio
import json
import logging
from typing import Any

import pytest
from aiohttp import ClientSession, web

from servicekit.problems import Problem, ProblemError, problems_middleware
from servicekit.reference import reference_of
from tests.unit.servicekit.listening import listening


class TeapotError(ProblemError):
    """A failure with everything."""

    status, slug, title = 418, "teapot", "This is a teapot"
    log_level = logging.WARNING


async def fail(request: web.Request) -> web.Response:
    kind = request.query["kind"]
    if kind == "teapot":
        raise TeapotError(
            "Short and stout.",
            log_detail="for the operator",
            headers={"Retry-After": "7"},
            members={"spout": True, "absent": None},
        )
    if kind == "fault":
        raise RuntimeError("canary")
    if kind == "redirect":
        raise web.HTTPSeeOther("/elsewhere")
    if kind == "refusal":
        raise web.HTTPRequestEntityTooLarge(1, 2, text="canary")
    if kind == "cause":
        try:
            int("canary")
        except ValueError as error:
            raise ProblemError from error
    await asyncio.sleep(10)
    return web.Response()


async def ask(path: str, method: str = "GET") -> tuple[int, dict[str, str], Any]:
    app = web.Application(middlewares=[problems_middleware()])
    app.router.add_get("/fail", fail)
    async with (
        listening(app) as url,
        ClientSession() as session,
        session.request(method, url + path, allow_redirects=False) as answer,
    ):
        text = await answer.text()
        is_problem = answer.content_type == "application/problem+json"
        return answer.status, dict(answer.headers), json.loads(text) if is_problem else text


async def test_a_problem_has_the_members_of_rfc_9457_and_a_reference(
    caplog: pytest.LogCaptureFixture,
) -> None:
    status, headers, body = await ask("/fail?kind=teapot")

    reference = body.pop("reference")
    assert status == 418
    assert body == {
        "type": "/problems/teapot",
        "title": "This is a teapot",
        "status": 418,
        "detail": "Short and stout.",
        "spout": True,
    }
    assert headers["Retry-After"] == "7"
    assert headers["Cache-Control"] == "no-store"
    (record,) = [record for record in caplog.records if record.message == "problem"]
    fields = record.__dict__["event_fields"]
    assert (record.levelname, fields["reference"], fields["log_detail"]) == (
        "WARNING",
        reference,
        "for the operator",
    )


@pytest.mark.parametrize("kind", ["fault", "cause"])
async def test_S55_a_fault_is_a_bare_500(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    status, _, body = await ask(f"/fail?kind={kind}")

    assert (status, body["type"], body["title"]) == (
        500,
        "/problems/internal-error",
        "Something failed on our side",
    )
    assert "canary" not in json.dumps(body)
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    "path, method, status, slug",
    [("/nowhere", "GET", 404, "not-found"), ("/fail", "POST", 405, "method-not-allowed")],
)
async def test_aiohttps_own_refusals_are_problems(path: str, method: str, status: int, slug: str) -> None:
    answered, headers, body = await ask(path, method)

    assert (answered, body["type"]) == (status, f"/problems/{slug}")
    assert ("Allow" in headers) == (status == 405)


async def test_a_refusals_text_is_not_passed_on() -> None:
    status, _, body = await ask("/fail?kind=refusal")

    assert status == 413
    assert "canary" not in json.dumps(body)


async def test_a_redirect_passes() -> None:
    status, headers, _ = await ask("/fail?kind=redirect")

    assert (status, headers["Location"]) == (303, "/elsewhere")


def test_members_of_none_are_left_out_and_the_log_detail_too() -> None:
    problem = Problem(400, "x", "X", members={"a": None, "b": 0}, log_detail="secret")

    assert problem.body("r") == {"type": "/problems/x", "title": "X", "status": 400, "b": 0, "reference": "r"}


def test_a_request_keeps_its_reference() -> None:
    class Request(dict[Any, Any]):
        """As much of a request as is looked at."""

    request: Any = Request()
    assert reference_of(request) == reference_of(request)
    assert reference_of(request) != reference_of(Request())  # type: ignore[arg-type] # the same
