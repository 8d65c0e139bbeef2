"""Another team's API, asked from a front end of another origin: our word on cross-origin requests, never the API's."""

from pathlib import Path

from tests.product.test_cross_origin import APP, BESIDE, preflight, told
from tests.product.upstream_rows import READ_SCOPE, Make, rows
from tests.stage.raw_upstream import head, saying
from tests.stage.witnesses import ask

ROWS = (
    {"name": "notes", "prefix": "/api/notes", "scope": READ_SCOPE, "response_headers": ["X-Total"]},
    {
        "name": "edits",
        "prefix": "/api/notes",
        "scope": READ_SCOPE,
        "methods": ["PATCH"],
        "request_headers": ["X-Tenant"],
    },
)


async def test_S24_an_api_behind_the_gateway_is_read_by_the_gateways_own_word(
    make_world: Make, tmp_path: Path
) -> None:
    async with rows(make_world, tmp_path, *ROWS, ALLOWED_ORIGINS=APP) as notes:
        notes.upstream.answer = saying(
            head(
                *("Content-Type: text/plain", "Content-Length: 4", 'ETag: "a"', "X-Total: 7", "Vary: Accept"),
                *("Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: X-Evil", "X-Evil: 1"),
            )
            + b"here"
        )

        before = await ask(notes.ada, "OPTIONS", "/api/notes/7?x", preflight("PATCH", "x-csrf,x-tenant"))
        asked = len(notes.upstream.asked)
        answer = await ask(notes.ada, "GET", "/api/notes/7?x", BESIDE | {"X-CSRF": "1"})
        strangers = await ask(
            notes.ada, "GET", "/api/notes/7", {"Origin": "http://localhost:1", "X-CSRF": "1"}
        )

    assert (before.status, asked) == (204, 0)
    assert before.headers["Access-Control-Allow-Methods"] == "GET, HEAD, PATCH"
    assert "x-tenant" in before.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert (answer.status, answer.text, answer.headers["X-Total"]) == (200, "here", "7")
    assert told(answer)["access-control-allow-origin"] == APP
    exposed = answer.headers["Access-Control-Expose-Headers"].lower().split(", ")
    assert {"etag", "x-total"} <= {*exposed}
    assert "x-evil" not in exposed
    assert {"Accept", "Origin"} <= {*answer.headers["Vary"].split(", ")}
    assert (strangers.status, told(strangers)) == (403, {})
    assert len(notes.upstream.asked) == 1
