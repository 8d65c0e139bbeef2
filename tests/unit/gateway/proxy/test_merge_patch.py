"""What a person reads of a merge patch: RFC 7396's own examples, and what they leave out."""

import json
from typing import Any

import pytest

from gateway.proxy.merge_patch import changes_of, is_merge_patch, json_object

# RFC 7396, appendix A: original, patch, result; those whose three parts are objects.
EXAMPLES = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


def merged(target: Any, patch: Any) -> Any:
    """Apply a patch as RFC 7396, section 2 says."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def applied(resource: dict[str, Any], changes: list[Any]) -> Any:
    """Do what the changes say."""
    result = json.loads(json.dumps(resource))
    for change in changes:
        *inside, last = (part.replace("~1", "/").replace("~0", "~") for part in change["field"].split("/"))
        place = result
        for name in inside:
            place = place[name]
        assert place.get(last) == change["from"]
        if change["to"] is None:
            del place[last]
        else:
            place[last] = change["to"]
    return result


@pytest.mark.parametrize("resource, patch, result", EXAMPLES)
def test_whoever_did_what_is_shown_would_have_what_the_standard_says(
    resource: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]
) -> None:
    assert merged(resource, patch) == result
    assert applied(resource, changes_of(resource, patch)) == result


@pytest.mark.parametrize(
    "resource, patch, shown",
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": False}, {"a": 0}, [("a", False, 0)]),
        ({"a": False}, {"a": False}, []),
        ({"a": [1, True]}, {"a": [1, 1]}, [("a", [1, True], [1, 1])]),
        ({"a": [{"x": 1, "y": 2}]}, {"a": [{"y": 2, "x": 1}]}, []),
        ({}, {"a": None}, []),
        ({"a": None}, {"a": None}, []),
        ({"a": None}, {"a": ""}, [("a", None, "")]),
        ({"a": "x"}, {"a": {"b": 1, "c": None}}, [("a", "x", {"b": 1})]),
        ({}, {"a": {}}, [("a", None, {})]),
        ({"a": {}}, {"a": {}}, []),
        ({"a": {"b": 1}}, {"a": {}}, []),
        ({"a": {"b": 1}}, {"a": None}, [("a", {"b": 1}, None)]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [("a/b/c", 1, 2)]),
        ({"x/y": {"~": 1}}, {"x/y": {"~": 2}}, [("x~1y/~0", 1, 2)]),
        ({"": 1}, {"": 2}, [("", 1, 2)]),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, [("b", 1, 2), ("a", 1, 2)]),
        ({"a": [None]}, {"a": [None, None]}, [("a", [None], [None, None])]),
        ({"a": 1}, {}, []),
    ],
)
def test_a_person_sees_what_changes_and_nothing_else(
    resource: dict[str, Any], patch: dict[str, Any], shown: list[tuple[str, Any, Any]]
) -> None:
    changes = changes_of(resource, patch)

    assert [(change["field"], change["from"], change["to"]) for change in changes] == shown
    assert [type(change["to"]) for change in changes] == [type(to) for _, _, to in shown]


@pytest.mark.parametrize(
    "method, content_type, is_one",
    [
        ("PATCH", "application/merge-patch+json", True),
        ("POST", "application/merge-patch+json", True),
        ("PATCH", "application/json", True),
        ("PUT", "application/json", False),
        ("POST", "application/json", False),
        ("PATCH", "application/json-patch+json", False),
        ("PATCH", "text/json", False),
        ("PATCH", "", False),
    ],
)
def test_a_merge_patch_says_so_or_is_json_of_a_patch(method: str, content_type: str, *, is_one: bool) -> None:
    assert is_merge_patch(method, content_type) == is_one


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b'"a"',
        b"1",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b"\xef\xbb\xbf{}",
        b'{"a":"\\ud800"}',
        b"\x1f\x8b\x08\x00",
        b"{" * 40,
        b'{"a":' * 40 + b"1" + b"}" * 40,
    ],
    ids=range(12),
)
def test_what_two_parsers_may_read_differently_is_not_shown(text: bytes) -> None:
    assert json_object(text) is None


def test_an_object_is_read() -> None:
    assert json_object(b'{"a":{"b":[1]}}') == {"a": {"b": [1]}}
