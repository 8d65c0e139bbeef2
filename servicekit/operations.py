"""What a route says of itself for the API's description: its answer, its problems, and what it takes.

Owns the words that rows are described in.
Never draws: `servicekit/openapi.py` does, and what callers are told stands beside the handlers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from servicekit.problems import Problem, ProblemError

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, eq=False)
class NamedSchema:
    """A JSON Schema that is made of a table, where there is no type to draw it from."""

    name: str
    node: dict[str, Any]


Shape = Any
"""A type that pydantic can describe, or a NamedSchema."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a request may hold beside its body; `place` is query, header or path, and what a path holds is required."""

    name: str
    place: str
    description: str = ""
    shape: Shape = str
    required: bool = False


@dataclass(frozen=True, slots=True)
class RequestBody:
    """What a request must hold as its body, or may hold, in each of `media_types`."""

    shape: Shape
    media_types: tuple[str, ...] = (JSON,)
    required: bool = True


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that is no problem: its body, of `media_type`, has one of `shapes`, or there is none.

    `headers` are names in the document's table of headers, `events` the data of server-sent events by their names.
    Of the status "default" is what somebody else answers, with any status and any headers.
    """

    description: str
    shapes: tuple[Shape, ...] = ()
    status: int | Literal["default"] = 200
    media_type: str = JSON
    headers: tuple[str, ...] = ()
    events: Mapping[str, Shape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a row says of itself beside its method, its path and its handler.

    `also` are further answers that are no problems, `problems` those that the handler may raise. Without a
    `description` the handler's docstring is it.
    """

    id: str
    summary: str
    response: Response
    also: tuple[Response, ...] = ()
    problems: tuple[type[ProblemError], ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: RequestBody | None = None
    description: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """What a problem looks like: one as it is raised, and the shapes of the members that it must and may have.

    `alias` names it in the document where another problem of its slug is described beside it.
    """

    example: Problem
    description: str
    required: Mapping[str, Shape] = field(default_factory=dict)
    optional: Mapping[str, Shape] = field(default_factory=dict)
    alias: str = ""

    @property
    def name(self) -> str:
        """What it is called among the examples: its slug, unless it has another name."""
        return self.alias or self.example.slug

    @property
    def component(self) -> str:
        """What it is called among schemas and responses: the same in the spelling of types."""
        return self.name.title().replace("-", "")
