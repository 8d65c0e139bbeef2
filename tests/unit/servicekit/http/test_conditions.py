"""Conditions: the tag of a state, and which tags an `If-Match` names (RFC 9110, sections 8.8.3 and 13.1.1)."""

import pytest

from gateway.profile import fields as gateways
from resource_api import profile as apis
from servicekit.errors import BadRequest
from servicekit.http.conditions import etag_of, if_match, matches, that_can_match
from tests.stage.parsed_request import parsed_request

OURS = '"0123456789abcdef0123456789abcdef"'
OTHER = '"fedcba9876543210fedcba9876543210"'


def condition_of(*lines: str) -> str | None:
    """Return what is read of these `If-Match` lines, as they come over the wire."""
    request = parsed_request(("If-Match", line) for line in lines)
    assert request is not None
    return if_match(request)


@pytest.mark.parametrize(
    "condition",
    ["*", OURS, f'"a", {OURS}', f'{OURS} , W/"b"', f'W/"b", {OURS}', f'W/"", {OURS}', f'"W/", {OURS}'],
)
def test_a_condition_holds_for_a_strong_tag_wherever_it_stands(condition: str) -> None:
    assert matches(condition, OURS)
    assert matches(that_can_match(condition) or "", OURS), "also once it is cut to what can match"


@pytest.mark.parametrize(
    "condition", ['"a"', f"W/{OURS}", f'"a", W/{OURS}', f'W/"a", W/{OURS}', OURS.upper(), f'"a,{OURS[1:]}']
)
def test_a_condition_does_not_hold_for_a_weak_tag_or_another(condition: str) -> None:
    assert not matches(condition, OURS)
    assert not matches(that_can_match(condition) or '""', OURS)


@pytest.mark.parametrize(
    "condition", ["", "x", '"', '"a" "b"', "W/x", '"a",,"b"', "*,*", f"*, {OURS}", 'w/"a"', "'a'", '"a"b']
)
def test_what_is_no_list_of_entity_tags_is_refused(condition: str) -> None:
    with pytest.raises(BadRequest):
        condition_of(condition)


def test_several_lines_are_one_list_and_none_is_no_condition() -> None:
    assert condition_of('"a"', OURS) == f'"a", {OURS}'
    assert condition_of() is None


def test_what_can_match_is_our_strong_tags_of_which_nobody_has_seen_many() -> None:
    tags = [f'"{number:032x}"' for number in range(40)]

    assert that_can_match(f'"foreign", {OURS}, W/{OTHER}') == OURS
    assert that_can_match(", ".join(tags)) == ", ".join(tags[:16])
    assert that_can_match('"foreign"') is None
    assert that_can_match("*") == "*"


def test_a_tag_is_that_of_the_values_in_whatever_order_and_of_no_others() -> None:
    state: dict[str, str | None] = {"city": "Zürich", "state": None}

    assert etag_of(state) == etag_of({"state": None, "city": "Zürich"})
    others: list[dict[str, str | None]] = [
        {**state, "city": "Zu\u0308rich"},
        {**state, "state": ""},
        {"city": "Zürich"},
    ]
    assert len({etag_of(one) for one in (state, *others)}) == 4


def test_both_services_show_the_same_members_and_read_the_same_fields_so_that_a_tag_counts_at_both() -> None:
    assert gateways.MEMBERS == apis.MEMBERS
    assert list(gateways.EDITABLE) == list(apis.EDITABLE)
    graph = {"id": "an-oid", "city": "Zürich", "state": None, "@odata.context": "x", "mail": "a@b.c"}
    assert etag_of(gateways.profile_of(graph)) == etag_of(apis.profile_of(graph))
