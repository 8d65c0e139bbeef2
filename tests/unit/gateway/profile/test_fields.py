"""Conditions on a profile: which entity tags an `If-Match` names (RFC 9110, sections 8.8.3 and 13.1.1)."""

import pytest

from gateway.profile.fields import matches

OURS = '"0123456789abcdef0123456789abcdef"'


@pytest.mark.parametrize(
    "condition",
    ["*", OURS, f'"a", {OURS}', f'{OURS} , W/"b"', f'W/"b", {OURS}', f'W/"", {OURS}', f'"W/", {OURS}'],
)
def test_a_condition_holds_for_a_strong_tag_wherever_it_stands(condition: str) -> None:
    assert matches(condition, OURS)


@pytest.mark.parametrize(
    "condition", ['"a"', f"W/{OURS}", f'"a", W/{OURS}', f'W/"a", W/{OURS}', OURS.upper()]
)
def test_a_condition_does_not_hold_for_a_weak_tag_or_another(condition: str) -> None:
    assert not matches(condition, OURS)
