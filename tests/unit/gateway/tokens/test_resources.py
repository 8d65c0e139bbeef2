"""What tokens are asked for: found by scope and by the key of records, and shared by rows of one scope."""

import pytest

from gateway.tokens.resources import EDIT, GRAPH, Resource, Resources

READ, EDITING = Resource(GRAPH, "User.Read"), Resource(EDIT, "api://x/Edit")
NOTES = Resource("notes", "api://n/Notes.Read")


def test_R27_the_profile_s_records_are_called_as_ever() -> None:
    assert (READ.key, EDITING.key) == ("graph", "edit")


def test_S46_a_row_that_changes_its_scope_finds_no_token_of_before() -> None:
    assert Resource("notes", "api://n/Notes.Read").key != Resource("notes", "api://other/Notes.Read").key


def test_a_row_that_changes_its_name_finds_its_token_again() -> None:
    assert Resource("memos", NOTES.scope).key == NOTES.key
    assert NOTES.key.startswith("scope-")
    assert len(NOTES.key) == len("scope-") + 16
    assert ":" not in NOTES.key, "what comes before a colon is the kind of a record"


def test_each_is_found_by_its_scope_and_by_its_key() -> None:
    resources = Resources(READ, EDITING, [NOTES])

    assert list(resources) == [READ, EDITING, NOTES]
    for resource in resources:
        assert resources.of_scope(resource.scope) is resource
        assert resources.of_key(resource.key) is resource
        assert resource.scope in resources
    assert resources.of_key("scope-unknown") is None
    assert "unknown" not in resources
    with pytest.raises(KeyError):
        resources.of_scope("unknown")


def test_rows_of_one_scope_share_a_resource_by_the_name_that_came_first() -> None:
    more = [NOTES, Resource("notes-writing", NOTES.scope), Resource("also-editing", EDITING.scope)]
    resources = Resources(READ, EDITING, more)

    assert list(resources) == [READ, EDITING, NOTES]
    assert resources.of_scope(EDITING.scope) is EDITING
