"""A small judge of JSON Schema 2020-12, for what our own descriptions use; a keyword that it does not know is a fault.

So nothing is taken for checked that is not.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_KINDS: Final[Mapping[str, Callable[[object], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
_TELLING: Final = frozenset({"description", "default", "format", "examples"})


def resolve(node: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow `$ref`s within the document; raises KeyError where one leads nowhere."""
    while "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def faults(value: object, schema: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for everything in which `value` differs from `schema`."""
    for keyword, expected in resolve(schema, document).items():
        if keyword not in _TELLING:
            yield from _JUDGES[keyword](value, expected, schema, document)


def _type(value: Any, expected: Any, *_: object) -> Iterator[str]:
    kinds = [expected] if isinstance(expected, str) else expected
    if not any(_KINDS[kind](value) for kind in kinds):
        yield f"{value!r} is not {' or '.join(kinds)}"


def _const(value: Any, expected: Any, *_: object) -> Iterator[str]:
    if value != expected or type(value) is not type(expected):
        yield f"{value!r} is not {expected!r}"


def _enum(value: Any, expected: Any, *_: object) -> Iterator[str]:
    if value not in expected:
        yield f"{value!r} is not one of {expected}"


def _pattern(value: Any, expected: str, *_: object) -> Iterator[str]:
    if isinstance(value, str) and not re.search(expected, value):
        yield f"{value!r} does not match {expected}"


def _lengths(value: Any, longest: int, *_: object) -> Iterator[str]:
    if isinstance(value, str | list) and len(value) > longest:
        yield f"{value!r} is longer than {longest}"


def _least(value: Any, shortest: int, *_: object) -> Iterator[str]:
    if isinstance(value, str) and len(value) < shortest:
        yield f"{value!r} is shorter than {shortest}"


def _minimum(value: Any, expected: int, *_: object) -> Iterator[str]:
    if isinstance(value, int) and value < expected:
        yield f"{value} is below {expected}"


def _maximum(value: Any, expected: int, *_: object) -> Iterator[str]:
    if isinstance(value, int) and value > expected:
        yield f"{value} is above {expected}"


def _required(value: Any, expected: list[str], *_: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{name} is missing" for name in expected if name not in value)


def _properties(value: Any, expected: Any, _schema: object, document: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(value, dict):
        for name in expected.keys() & value.keys():
            yield from (f"{name}: {fault}" for fault in faults(value[name], expected[name], document))


def _additional(
    value: Any, expected: object, schema: Mapping[str, Any], document: Mapping[str, Any]
) -> Iterator[str]:
    if isinstance(value, dict) and expected is False:
        properties = resolve(schema, document).get("properties", {})
        yield from (f"{name} is not described" for name in value.keys() - properties.keys())


def _items(value: Any, expected: Any, _schema: object, document: Mapping[str, Any]) -> Iterator[str]:
    for number, entry in enumerate(value if isinstance(value, list) else []):
        yield from (f"{number}: {fault}" for fault in faults(entry, expected, document))


def _all_of(value: Any, expected: Any, _schema: object, document: Mapping[str, Any]) -> Iterator[str]:
    for schema in expected:
        yield from faults(value, schema, document)


def _one_of(value: Any, expected: Any, _schema: object, document: Mapping[str, Any]) -> Iterator[str]:
    alternatives = [list(faults(value, schema, document)) for schema in expected]
    if sum(not one for one in alternatives) != 1:
        yield f"{value!r} fits {sum(not one for one in alternatives)} of the alternatives: {alternatives}"


_JUDGES: Final[Mapping[str, Callable[..., Iterator[str]]]] = {
    "type": _type,
    "const": _const,
    "enum": _enum,
    "pattern": _pattern,
    "maxLength": _lengths,
    "maxItems": _lengths,
    "minLength": _least,
    "minimum": _minimum,
    "maximum": _maximum,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "allOf": _all_of,
    "oneOf": _one_of,
}
