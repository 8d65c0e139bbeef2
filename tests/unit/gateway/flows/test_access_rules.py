"""The rules that access is judged by: the profile's, and one for each row with a scope."""

from gateway.flows.access_rules import PROFILE_EDIT, AccessRule, rules_of
from tests.unit.gateway.flows.rows import EDIT, NOTES, ROWS, Row, resources_of


def test_without_rows_there_is_the_profile_s_rule_alone() -> None:
    assert PROFILE_EDIT == "profile.edit"
    assert rules_of(resources_of(())) == {"profile.edit": AccessRule(EDIT, None, protected=True)}
    aged = rules_of(resources_of(()), edit_max_age=60)
    assert aged == {"profile.edit": AccessRule(EDIT, 60, protected=True)}


def test_a_row_with_a_scope_has_a_rule_of_its_name_and_its_age_and_one_without_has_none() -> None:
    rows = (*ROWS, Row("notes-writing", NOTES.scope, 300))
    rules = rules_of(resources_of(rows), rows)

    assert list(rules) == ["profile.edit", "notes", "bills", "notes-writing"]
    assert rules["notes"] == AccessRule(NOTES, None)
    assert rules["notes-writing"] == AccessRule(NOTES, 300), "rows of one scope share its token"
    assert not rules["notes"].protected


def test_a_row_of_the_profile_s_scope_shares_the_profile_s_token() -> None:
    rows = (Row("also-editing", EDIT.scope),)

    assert rules_of(resources_of(rows), rows)["also-editing"] == AccessRule(EDIT)
