"""What a merge patch changes of a resource, member by member, for a person to read before it is sent.

Owns the reading of a patch (RFC 7396) and the comparison. Never applies one: the upstream does, and may see it
otherwise.

A member is named by its JSON Pointer without the slash in front (RFC 6901): `title`, `address/city`; `~1` stands for a
slash in a name, and `~0` for a tilde.
"""

from collections.abc import Iterator
from typing import Any, Final, TypedDict

from servicekit.strict_json import NotStrictJson, load_strict_json

DEEPEST: Final = 32
"""Levels of a patch, and of a resource."""
_JSON: Final = "application/json"
_MERGE_PATCH: Final = "application/merge-patch+json"

# `from` is no name in Python.
MemberChange = TypedDict("MemberChange", {"field": str, "from": Any, "to": Any})


def is_merge_patch(method: str, content_type: str) -> bool:
    """Tell whether a body is one: by its type, or as JSON of a PATCH, which is how most clients send it."""
    return content_type == _MERGE_PATCH or (method == "PATCH" and content_type == _JSON)


def json_object(text: bytes) -> dict[str, Any] | None:
    """Return the members of a JSON object; None for anything else, and for what two parsers may read differently."""
    try:
        value = load_strict_json(text, deepest=DEEPEST)
    except NotStrictJson:
        return None
    return value if isinstance(value, dict) else None


def changes_of(resource: dict[str, Any], patch: dict[str, Any]) -> list[MemberChange]:
    """Return what the patch changes of the resource, in the patch's order; what stays as it is, is left out.

    A member that is removed changes to None, and one that is not there changes from None.
    """
    return list(_changes(resource, patch, ""))


def _changes(resource: dict[str, Any], patch: dict[str, Any], inside: str) -> Iterator[MemberChange]:
    for name, wanted in patch.items():
        field = inside + name.replace("~", "~0").replace("/", "~1")
        current = resource.get(name)
        if isinstance(wanted, dict) and isinstance(current, dict):
            yield from _changes(current, wanted, f"{field}/")
            continue
        result = _without_nulls(wanted)
        if not _is_same(current, result):
            yield {"field": field, "from": current, "to": result}


def _without_nulls(wanted: Any) -> Any:
    """Return what a patch makes where there is no object to change: its own members, without those it removes."""
    if not isinstance(wanted, dict):
        return wanted
    return {name: _without_nulls(value) for name, value in wanted.items() if value is not None}


def _is_same(one: Any, other: Any) -> bool:
    """Compare as JSON does: true is no number, members have no order, 1 and 1.0 are one number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)
