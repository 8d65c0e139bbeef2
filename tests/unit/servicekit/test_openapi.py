"""How rows and types become an OpenAPI document."""

from typing import Annotated, Final, Literal

import pytest
from pydantic import Field
from typing_extensions import TypedDict

from servicekit.errors import (
    AccessBlocked,
    AuthorityUnavailable,
    BadRequest,
    Misconfigured,
    ResourceUnavailable,
)
from servicekit.openapi import PROBLEM, Components, Node
from servicekit.operations import NamedSchema, Operation, Parameter, ProblemType, RequestBody, Response
from servicekit.problems import ProblemError

KINDS: Final = (
    ProblemType(AccessBlocked().problem(), "Blocked."),
    ProblemType(BadRequest("Not JSON.").problem(), "Unreadable.", required={"at": int}, optional={"by": str}),
    ProblemType(Misconfigured().problem(), "Set up wrongly."),
    ProblemType(ProblemError().problem(), "Ours."),
    ProblemType(AuthorityUnavailable("").problem(), "The authority fails."),
)
HEADERS: Final[dict[str, Node]] = {
    "Cache-Control": {"schema": {"const": "no-store"}},
    "ETag": {"schema": {"type": "string"}},
    "Retry-After": {"schema": {"type": "integer"}},
}


class Inner(TypedDict):
    """Inside."""

    word: Literal["yes"]


class Outer(TypedDict):
    """Outside."""

    inner: Inner | None
    text: str | None
    number: Annotated[int, Field(ge=0)]


def parts(*, kinds: tuple[ProblemType, ...] = KINDS, always: tuple[str, ...] = ()) -> Components:
    """Return components without a part."""
    return Components(
        problem_types=kinds, headers=HEADERS, examples={Inner: ("yes", {"word": "yes"})}, always=always
    )


def test_a_type_becomes_a_closed_object_with_a_name() -> None:
    components = parts()

    assert components.schema(Outer) == {"$ref": "#/components/schemas/Outer"}
    assert components.node["schemas"] == {
        "Inner": {
            "type": "object",
            "description": "Inside.",
            "required": ["word"],
            "properties": {"word": {"type": "string", "const": "yes"}},
            "additionalProperties": False,
        },
        "Outer": {
            "type": "object",
            "description": "Outside.",
            "required": ["inner", "text", "number"],
            "properties": {
                "inner": {"oneOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "null"}]},
                "text": {"type": ["string", "null"]},
                "number": {"type": "integer", "minimum": 0},
            },
            "additionalProperties": False,
        },
    }


def test_a_schema_of_a_table_is_named_and_a_plain_type_is_not() -> None:
    components = parts()

    assert components.schema(NamedSchema("Table", {"type": "object"})) == {
        "$ref": "#/components/schemas/Table"
    }
    assert components.schema(str) == {"type": "string"}
    assert list(components.node["schemas"]) == ["Table"]


def test_two_parts_cannot_have_one_name() -> None:
    components = parts()
    components.schema(Inner)

    with pytest.raises(ValueError, match="two schemas are called Inner"):
        components.schema(NamedSchema("Inner", {"type": "string"}))


def test_a_problem_alone_in_its_status_is_a_response_with_a_name() -> None:
    components = parts(always=("Cache-Control",))

    assert components.problems([BadRequest]) == {"400": {"$ref": "#/components/responses/BadRequest"}}
    assert components.node["responses"]["BadRequest"] == {
        "description": "Unreadable.",
        "headers": {"Cache-Control": {"$ref": "#/components/headers/Cache-Control"}},
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/BadRequest"},
                "examples": {"bad-request": {"$ref": "#/components/examples/bad-request"}},
            }
        },
    }
    assert components.node["schemas"]["BadRequest"] == {
        "description": "Unreadable.",
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {
                "type": "object",
                "required": ["at"],
                "properties": {
                    "type": {"const": "/problems/bad-request"},
                    "status": {"const": 400},
                    "at": {"type": "integer"},
                    "by": {"type": "string"},
                },
            },
        ],
    }
    assert components.node["schemas"]["Problem"] == PROBLEM.node
    example = components.node["examples"]["bad-request"]["value"]
    assert example == BadRequest("Not JSON.").problem().body(example["reference"])


def test_problems_of_one_status_are_alternatives_with_the_headers_that_all_of_them_have() -> None:
    class Busy(ResourceUnavailable):
        status = AuthorityUnavailable.status

    kinds = (*KINDS, ProblemType(Busy("").problem(), "Behind us.", alias="behind-us"))
    responses = parts(kinds=kinds).problems([Busy, AuthorityUnavailable, Misconfigured, ProblemError])

    assert list(responses) == ["500", "503"]
    assert responses["500"]["description"] == "`internal-error`: Ours. `misconfigured`: Set up wrongly."
    assert "headers" not in responses["500"]
    assert list(responses["503"]["headers"]) == ["Retry-After"]
    content = responses["503"]["content"]["application/problem+json"]
    assert content["schema"]["oneOf"] == [
        {"$ref": "#/components/schemas/AuthorityUnavailable"},
        {"$ref": "#/components/schemas/BehindUs"},
    ]
    assert list(content["examples"]) == ["authority-unavailable", "behind-us"]


def test_a_problem_that_nobody_described_is_not_passed_over() -> None:
    with pytest.raises(KeyError):
        parts().problems([ResourceUnavailable])


def test_an_operation_takes_its_words_from_the_docstring_but_for_what_is_raised() -> None:
    def handler() -> None:
        """Do the thing.

        And another,
        in two lines.

        Raises BadRequest, which is no caller's business here.
        """

    row = Operation(
        "doThing",
        "The thing",
        response=Response("Done.", (Inner, Outer), headers=("ETag",)),
        also=(Response("Not yet.", status=202),),
        parameters=(Parameter("id", "path"),),
        body=RequestBody(Inner, ("application/json", "text/plain")),
        tag="things",
    )
    drawn = parts().operation(
        row,
        handler,
        problems=[AccessBlocked],
        parameters=[Parameter("X", "header", "A header.", int, required=True)],
        security=[],
    )

    yes = {"examples": {"yes": {"$ref": "#/components/examples/yes"}}}
    inner = {"$ref": "#/components/schemas/Inner"}
    assert drawn == {
        "tags": ["things"],
        "operationId": "doThing",
        "summary": "The thing",
        "description": "Do the thing. And another, in two lines.",
        "parameters": [
            {
                "name": "X",
                "in": "header",
                "required": True,
                "description": "A header.",
                "schema": {"type": "integer"},
            },
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": inner, **yes}, "text/plain": {"schema": inner, **yes}},
        },
        "security": [],
        "responses": {
            "200": {
                "description": "Done.",
                "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
                "content": {
                    "application/json": {
                        "schema": {"oneOf": [inner, {"$ref": "#/components/schemas/Outer"}]},
                        **yes,
                    }
                },
            },
            "202": {"description": "Not yet."},
            "403": {"$ref": "#/components/responses/AccessBlocked"},
        },
    }


def test_a_row_s_own_words_go_before_the_docstring() -> None:
    def handler() -> None:
        """Do the thing."""

    row = Operation("doThing", "The thing", response=Response("Done."), description="In other words.")

    assert parts().operation(row, handler, problems=[])["description"] == "In other words."


def test_events_are_told_beside_their_stream() -> None:
    stream = Response("The stream.", (str,), media_type="text/event-stream", events={"word": Inner})

    assert parts().response(stream)["content"] == {
        "text/event-stream": {
            "schema": {"type": "string"},
            "x-event-data": {"word": {"$ref": "#/components/schemas/Inner"}},
        }
    }
