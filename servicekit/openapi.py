"""OpenAPI 3.1, drawn from rows and types: what the descriptions of both services are made of.

Owns how a type, a problem, a parameter and an operation are written down, and that each part with a name stands once
under `components`.
Never knows a route, and never says what an answer means: rows and types do.

Sources: OpenAPI 3.1.1; JSON Schema 2020-12, as pydantic writes it.
"""

import inspect
from collections.abc import Iterable, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import TypedDictSchema

from servicekit.operations import NamedSchema, Operation, Parameter, ProblemType, RequestBody, Response, Shape
from servicekit.problems import TYPE_PREFIX, ProblemError
from servicekit.reference import FORM

PROBLEM_JSON: Final = "application/problem+json"
_REFERENCE: Final = "7K2M-9QXR"

Node = dict[str, Any]


PROBLEM: Final = NamedSchema(
    "Problem",
    {
        "description": "RFC 9457.",
        "type": "object",
        "required": ["type", "title", "status", "reference"],
        "properties": {
            "type": {
                "type": "string",
                "pattern": f"^{TYPE_PREFIX}[a-z-]+$",
                "description": "Branch on this; docs/problems.md has a section for each.",
            },
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "A sentence for people; its wording may change."},
            "reference": {
                "type": "string",
                "pattern": f"^{FORM}$",
                "description": "For a person to quote; the log lines about this request carry it.",
            },
        },
    },
)


class Components:
    """The parts of one document that have names; what is drawn refers to them.

    `problem_types` are all problems that there are, `headers` says what each header is, and `examples` has a name and a
    value for shapes. `always` names the headers that every answer has. `members` are what settings add to an object, by
    its name. `node` is what the document says under `components`.
    """

    def __init__(
        self,
        *,
        problem_types: Iterable[ProblemType],
        headers: Mapping[str, Node],
        examples: Mapping[Shape, tuple[str, Any]],
        always: tuple[str, ...] = (),
        members: Mapping[str, Mapping[str, Node]] = MappingProxyType({}),
    ) -> None:
        self._problem_types = {(kind.example.status, kind.example.slug): kind for kind in problem_types}
        self._headers = headers
        self._examples = examples
        self._always = always
        self._members = members
        self.node: dict[str, Node] = {}

    def operation(
        self,
        row: Operation,
        handler: object,
        *,
        problems: Iterable[type[ProblemError]],
        parameters: Iterable[Parameter] = (),
        security: list[Node] | None = None,
    ) -> Node:
        """Return an operation; `problems`, `parameters` and `security` are those that its row's policy brings along."""
        parts = _node(
            tags=[row.tag] if row.tag else None,
            operationId=row.id,
            summary=row.summary,
            description=row.description or _public_words(handler),
            parameters=[self.parameter(one) for one in (*parameters, *row.parameters)],
            requestBody=self._request_body(row.body) if row.body else None,
        )
        if security is not None:
            parts["security"] = security
        answers = {str(response.status): self.response(response) for response in (row.response, *row.also)}
        refusals = self.problems(problems, beside=frozenset(answers))
        both = {
            status: _either(answers[status], refusals[status]) for status in answers.keys() & refusals.keys()
        }
        return {**parts, "responses": {**answers, **refusals, **both}}

    def parameter(self, parameter: Parameter) -> Node:
        """Return a parameter."""
        return _node(
            name=parameter.name,
            **{"in": parameter.place},
            required=parameter.required or parameter.place == "path",
            description=parameter.description,
            schema=self.schema(parameter.shape),
        )

    def response(self, response: Response) -> Node:
        """Return an answer that is no problem."""
        content = self._content(response.shapes)
        always = () if response.status == "default" else self._always
        if response.events:
            content["x-event-data"] = {name: self.schema(shape) for name, shape in response.events.items()}
        return _node(
            description=response.description,
            headers={name: self._header(name) for name in (*always, *response.headers)},
            content={response.media_type: content} if content else None,
        )

    def problems(
        self, kinds: Iterable[type[ProblemError]], *, beside: frozenset[str] = frozenset()
    ) -> dict[str, Node]:
        """Return the answers that problems are, by their status; those of one status are alternatives.

        Those of a status in `beside`, which has other answers too, are written out.
        """
        keys = sorted({(kind.status, kind.slug) for kind in kinds})
        found: dict[str, Node] = {}
        for status, group in groupby(keys, key=lambda key: key[0]):
            types = tuple(self._problem_types[key] for key in group)
            found[str(status)] = (
                self._problem_response(types, _descriptions(types))
                if str(status) in beside
                else self.problem(*types)
            )
        return found

    def problem(self, *kinds: ProblemType) -> Node:
        """Return the answer that is one of `kinds`, which have one status; of a single one it is a part with a name."""
        if len(kinds) > 1:
            return self._problem_response(kinds, _descriptions(kinds))
        (kind,) = kinds
        return self._put("responses", kind.component, self._problem_response(kinds, kind.description))

    def schema(self, shape: Shape) -> Node:
        """Return the schema of a shape: a reference where it has a name."""
        if isinstance(shape, NamedSchema):
            return self._put("schemas", shape.name, shape.node)
        drawn, named = TypeAdapter.json_schemas(
            [("shape", "serialization", TypeAdapter(shape))],
            ref_template="#/components/schemas/{model}",
            union_format="primitive_type_array",
            schema_generator=_SchemaWriter,
        )
        for name, node in named.get("$defs", {}).items():
            self._put("schemas", name, self._with_members(name, node))
        return drawn["shape", "serialization"]

    def _with_members(self, name: str, node: Node) -> Node:
        more = self._members.get(name)
        if not more:
            return node
        required = [*node.get("required", ()), *more]
        return {**node, "properties": {**node["properties"], **more}, "required": required}

    def _content(self, shapes: tuple[Shape, ...]) -> Node:
        """Return a body that has one of `shapes`, with the examples that they have."""
        examples = [self._examples[shape] for shape in shapes if shape in self._examples]
        return _node(
            **_body([self.schema(shape) for shape in shapes]),
            examples={name: self._example(name, value) for name, value in examples},
        )

    def _request_body(self, body: RequestBody) -> Node:
        return {
            "required": body.required,
            "content": {kind: self._content((body.shape,)) for kind in body.media_types},
        }

    def _problem_response(self, kinds: tuple[ProblemType, ...], description: str) -> Node:
        """Return an answer; its own headers are those that each of its problems has."""
        common = [name for name in self._headers if all(name in kind.example.headers for kind in kinds)]
        content = _body([self._problem_schema(kind) for kind in kinds])
        content["examples"] = {
            kind.name: self._example(kind.name, kind.example.body(_REFERENCE)) for kind in kinds
        }
        return _node(
            description=description,
            headers={name: self._header(name) for name in (*self._always, *common)},
            content={PROBLEM_JSON: content},
        )

    def _problem_schema(self, kind: ProblemType) -> Node:
        example = kind.example
        own = {"type": {"const": TYPE_PREFIX + example.slug}, "status": {"const": example.status}}
        members = {name: self.schema(shape) for name, shape in {**kind.required, **kind.optional}.items()}
        special = _node(type="object", properties=own | members, required=list(kind.required))
        node = {"description": kind.description, "allOf": [self.schema(PROBLEM), special]}
        return self._put("schemas", kind.component, node)

    def _header(self, name: str) -> Node:
        return self._put("headers", name, self._headers[name])

    def _example(self, name: str, value: object) -> Node:
        return self._put("examples", name, {"value": value})

    def _put(self, kind: str, name: str, node: Node) -> Node:
        """Keep a part and return the reference to it; raises ValueError when the name is another part's."""
        if self.node.setdefault(kind, {}).setdefault(name, node) != node:
            raise ValueError(f"two {kind} are called {name}")
        return {"$ref": f"#/components/{kind}/{name}"}


class _SchemaWriter(GenerateJsonSchema):
    """Writes types as they are meant here: objects are closed, alternatives exclude each other, names are no titles."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's own signature
        return False

    def typed_dict_schema(self, schema: TypedDictSchema) -> JsonSchemaValue:
        node = super().typed_dict_schema(schema)
        node.pop("title", None)
        return {"additionalProperties": False, **node}

    def get_union_of_schemas(self, schemas: list[JsonSchemaValue]) -> JsonSchemaValue:
        node = super().get_union_of_schemas(schemas)
        return {"oneOf": node["anyOf"]} if "anyOf" in node else node


def _public_words(handler: object) -> str:
    """Return what a handler's docstring says to callers: all of it, but for the paragraph of what is raised."""
    paragraphs = inspect.cleandoc(getattr(handler, "__doc__", None) or "").split("\n\n")
    return " ".join(" ".join(text.split()) for text in paragraphs if not text.startswith("Raises "))


def _body(schemas: list[Node]) -> Node:
    return {"schema": {"oneOf": schemas} if len(schemas) > 1 else schemas[0]} if schemas else {}


def _node(**members: Any) -> Node:
    """Return an object of the members that say something."""
    return {name: value for name, value in members.items() if value}


def _descriptions(kinds: Iterable[ProblemType]) -> str:
    return " ".join(f"`{kind.example.slug}`: {kind.description}" for kind in kinds)


def _either(answer: Node, refusal: Node) -> Node:
    """Return the answer that is one of two, whose headers are those that both have."""
    return {
        "description": f"{answer['description']} {refusal['description']}",
        "headers": {name: node for name, node in answer["headers"].items() if name in refusal["headers"]},
        "content": answer["content"] | refusal["content"],
    }
