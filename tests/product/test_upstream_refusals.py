"""What an upstream says of a token: every form of a challenge, one fresh token, and requests that wait meanwhile."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.product.upstream_rows import EDIT_SCOPE, READ_SCOPE, Make, Rows, rows
from tests.stage.raw_http import ask_raw, chunks
from tests.stage.raw_upstream import Answer, Asked, head, ok, saying

CLAIMS = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})
IN_BASE64 = base64.b64encode(CLAIMS.encode()).decode()


@pytest.fixture
async def notes(make_world: Make, tmp_path: Path) -> AsyncIterator[Rows]:
    """Give rows whose token is there or needs a confirmation, with and without keeping, and one that ages."""
    writing = {"methods": ["POST", "PATCH"], "scope": EDIT_SCOPE}
    async with rows(
        make_world,
        tmp_path,
        {
            "name": "notes",
            "prefix": "/api/notes",
            "scope": READ_SCOPE,
            "methods": ["GET", "PUT"],
            "max_body": 2_000_000,
        },
        {"name": "kept", "prefix": "/api/kept", "park": True, "max_body": 300_000, **writing},
        {"name": "lost", "prefix": "/api/lost", **writing},
        {"name": "ages", "prefix": "/api/ages", "scope": READ_SCOPE, "max_age": 60},
        {"name": "plain", "prefix": "/api/plain"},
    ) as notes:
        yield notes


def refusing(status: int, *challenges: str) -> Answer:
    return saying(
        head(
            "Content-Length: 2",
            *(f"WWW-Authenticate: {challenge}" for challenge in challenges),
            status=status,
        )
        + b"no"
    )


STEP_UP = [
    (403, ['Bearer error="insufficient_scope", scope="Notes.Read"']),
    (401, ['Bearer error="insufficient_user_authentication", acr_values="c1", max_age="60"']),
    (403, ["bearer error=insufficient_user_authentication"]),
    (401, [f'Bearer realm="", error="insufficient_claims", claims="{IN_BASE64}"']),
    (401, [f'Bearer error="invalid_token", claims="{IN_BASE64}"']),
    (401, ['Basic realm="x"', 'Bearer error="insufficient_scope"']),
    (401, ['Negotiate, Bearer error="invalid_token", Bearer error="insufficient_scope"']),
    (403, ['Bearer error="insufficient_scope", scope="api://somebody.else/Everything"']),
]  # fmt: skip


async def test_S46_a_refusal_that_asks_for_a_confirmation_is_met_for_the_row_s_own_scope_in_every_form(
    notes: Rows,
) -> None:
    for status, challenges in STEP_UP:
        notes.upstream.answer = refusing(status, *challenges)
        answer = await notes.ada.call("GET", "/api/notes")

        assert (answer.status, answer.slug) == (403, "step-up-required"), challenges
        assert (answer.body["upstream"], answer.body["scope"]) == ("notes", READ_SCOPE), challenges
        assert answer.body["redirect"].startswith("/auth/step-up?challenge="), challenges
        assert "acrs" not in answer.text
        assert CLAIMS not in answer.text


PASSES = [
    (401, []),
    (403, []),
    (401, ['Basic realm="x"']),
    (401, ['DPoP error="insufficient_scope"']),
    (403, ["Bearer"]),
    (403, ['Bearer error="invalid_request"']),
    (401, ['Bearer error="insufficient_scope", error="x"']),
    (400, ['Bearer error="insufficient_scope"']),
    (200, ['Bearer error="insufficient_scope"']),
    (401, ['Bearer error="\xff\xfe", error_description="insufficient_scope"']),
]  # fmt: skip


async def test_any_other_refusal_passes_as_it_is(notes: Rows) -> None:
    for status, challenges in PASSES:
        notes.upstream.answer = refusing(status, *challenges)
        answer = await notes.ada.call("GET", "/api/notes")

        assert (answer.status, answer.text) == (status, "no"), challenges
        assert "WWW-Authenticate" not in answer.headers
    assert len(notes.upstream.asked) == len(PASSES)
    notes.upstream.answer = refusing(403, 'Bearer error="insufficient_scope"')
    assert (await notes.ada.call("GET", "/api/plain")).text == "no", "there is nothing to confirm for"


async def test_a_challenge_of_100_kilobytes_is_no_answer(notes: Rows) -> None:
    notes.upstream.answer = refusing(403, f'Bearer error="insufficient_scope", scope="{"x" * 100_000}"')

    answer = await notes.ada.call("GET", "/api/notes")

    assert (answer.status, answer.body["upstream"]) == (502, "notes")


async def test_an_invalid_token_costs_a_fresh_one_and_one_repetition_where_the_body_was_held(
    notes: Rows,
) -> None:
    bodies: list[bytes] = []

    async def answer(asked: Asked) -> None:
        bodies.append(await (asked.chunked() if "transfer-encoding" in asked.fields else asked.body()))
        if asked.fields["authorization"] == first:
            await refusing(401, 'Bearer error="invalid_token"')(asked)
        else:
            await asked.say(ok())

    await notes.ada.call("GET", "/api/notes")
    first = notes.upstream.asked[-1].fields["authorization"]
    notes.upstream.answer = answer
    fields = [notes.cookies(), ("X-CSRF", "1"), ("Transfer-Encoding", "chunked")]
    url = notes.world.gateway_url
    streamed = await ask_raw(url, "PUT", "/api/notes", fields, chunks(*(bytes(100_000) for _ in range(9))))
    held = await ask_raw(url, "PUT", "/api/notes", fields, chunks(b"abc"))

    assert (streamed.status, held.status) == (401, 200), "what was given away as it came cannot be repeated"
    assert bodies == [bytes(900_000), b"abc"], "but the next request has a fresh token already"

    notes.upstream.answer = refusing(401, 'Bearer error="invalid_token"')
    asked = len(notes.upstream.asked)
    stubborn = await notes.ada.call("PUT", "/api/notes", {})
    assert (stubborn.status, stubborn.text) == (401, "no")
    assert len(notes.upstream.asked) - asked <= 2
    assert notes.upstream.asked[-1].fields["authorization"].startswith("Bearer ey")


async def test_a_change_whose_token_needs_a_confirmation_waits_where_its_row_keeps_it(notes: Rows) -> None:
    kept = await notes.ada.call("PATCH", "/api/kept/7?x=1", {"title": "new"})
    lost = await notes.ada.call("PATCH", "/api/lost/7", {"title": "new"})
    fields = [notes.cookies(), ("X-CSRF", "1"), ("Content-Length", "65537")]
    large = await ask_raw(notes.world.gateway_url, "POST", "/api/kept", fields, bytes(65_537))

    assert notes.upstream.asked == [], "MSAL's own refusal of the token comes before anything is sent"
    assert {kept.status, lost.status, large.status} == {403}
    assert (kept.body["upstream"], set(kept.body["parked"])) == ("kept", {"id", "expires_at"})
    assert (lost.body["upstream"], "parked" in lost.body) == ("lost", False)
    told = json.loads(large.body)
    assert (told["upstream"], "parked" in told, "too large" in told["detail"]) == ("kept", False, True)

    await notes.ada.step_up(kept.body["redirect"] + "&return_to=/edit")
    assert (await notes.ada.call("PATCH", "/api/lost/7", {"title": "new"})).status == 200
    (asked,) = notes.upstream.asked
    assert asked.first_line == "PATCH /7 HTTP/1.1"


async def test_a_row_s_own_age_of_a_confirmation_is_asked_for_before_anything_is_sent(notes: Rows) -> None:
    refused = await notes.ada.call("GET", "/api/ages")
    assert (refused.status, refused.body["upstream"], notes.upstream.asked) == (403, "ages", [])

    await notes.ada.step_up(refused.body["redirect"] + "&return_to=/edit")
    assert (await notes.ada.call("GET", "/api/ages")).status == 200
    notes.world.forward(61)
    assert (await notes.ada.call("GET", "/api/ages")).status == 403
