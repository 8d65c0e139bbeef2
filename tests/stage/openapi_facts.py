"""What an OpenAPI document promises, as facts of one line each: whoever drops one breaks a client.

What has a name under `components` is described once, and named elsewhere. Words for people are left out.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.stage.json_schema import resolve

METHODS: Final = ("get", "post", "patch", "put", "delete")
_WORDS: Final = frozenset({"description", "title", "examples"})
_INSIDE: Final = frozenset({"properties", "required", "items", "oneOf", "allOf"})
_NAMED: Final = "#/components/schemas/"

Node = Mapping[str, Any]


def facts(document: Node) -> set[str]:
    """Return everything that `document` promises."""
    components = document["components"]
    statements = {
        f"security {name}: {_json(scheme)}" for name, scheme in components["securitySchemes"].items()
    }
    for name, schema in components["schemas"].items():
        statements |= {f"{name}{fact}" for fact in _of_schema(schema)}
    for name, header in components["headers"].items():
        statements |= {f"header {name}{fact}" for fact in _of_schema(header["schema"])}
    for path, item in document["paths"].items():
        for method in item.keys() & METHODS:
            of_operation = _of_operation(item[method], document)
            statements |= {f"{method.upper()} {path} {fact}" for fact in of_operation}
    return statements


def _of_operation(operation: Node, document: Node) -> Iterator[str]:
    yield f"is {operation['operationId']}, {_json(operation.get('tags', []))}"
    # Where it says nothing, that of the whole document holds.
    yield f"security {_json(operation.get('security', document.get('security')))}"
    for parameter in operation.get("parameters", []):
        name = f"takes {parameter['in']} {parameter['name']}"
        yield f"{name}{' required' * parameter.get('required', False)}"
        yield from (f"{name}{fact}" for fact in _of_schema(parameter["schema"]))
    for status, reference in operation["responses"].items():
        answer = resolve(reference, document)
        yield f"answers {status} with {_json(sorted(answer.get('headers', {})))}"
        yield from (f"answers {status} {fact}" for fact in _of_contents(answer))
    yield from (f"takes {fact}" for fact in _of_contents(operation.get("requestBody", {})))


def _of_contents(node: Node) -> Iterator[str]:
    for kind, content in node.get("content", {}).items():
        yield from (f"{kind}{fact}" for fact in _of_schema(content["schema"]))
        for event, schema in content.get("x-event-data", {}).items():
            yield from (f"{kind} {event}{fact}" for fact in _of_schema(schema))


def _of_schema(schema: Node, path: str = "") -> Iterator[str]:
    """Yield a fact for every keyword of a schema and of whatever is inside it."""
    if "$ref" in schema:
        yield f"{path} {schema['$ref'].removeprefix(_NAMED)}"
        return
    for keyword in schema.keys() - _WORDS - _INSIDE:
        many = schema[keyword] if isinstance(schema[keyword], list) else [schema[keyword]]
        yield from (f"{path} {keyword} {_json(one)}" for one in many)
    for name, member in schema.get("properties", {}).items():
        yield f"{path}.{name}{' required' * (name in schema.get('required', []))}"
        yield from _of_schema(member, f"{path}.{name}")
    if "items" in schema:
        yield from _of_schema(schema["items"], f"{path}[]")
    for part in (*schema.get("oneOf", []), *schema.get("allOf", [])):
        yield from _of_schema(part, path)


def _json(value: object) -> str:
    if isinstance(value, dict):
        value = {name: member for name, member in value.items() if name not in _WORDS}
    return json.dumps(value, sort_keys=True)
