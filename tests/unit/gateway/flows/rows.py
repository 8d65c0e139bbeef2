"""Rows of upstreams as far as step-ups see them, and judges that know them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.flows.access_rules import rules_of
from gateway.flows.step_up import StepUps
from gateway.tokens.resources import Resource, Resources
from tests.stage.tenant import MovableClock

READ, EDIT = Resource("graph", "User.Read"), Resource("edit", "api://x/Edit")
NOTES, BILLS = Resource("notes", "api://n/Notes.Read"), Resource("bills", "api://b/Bills.Pay")


@dataclass(frozen=True)
class Row:
    """What a rule takes from a row."""

    name: str
    scope: str | None
    max_age: int | None = None


ROWS: Final = (Row("notes", NOTES.scope), Row("bills", BILLS.scope), Row("pictures", None))


def resources_of(rows: Sequence[Row]) -> Resources:
    """Return the profile's resources and those of rows."""
    return Resources(READ, EDIT, (Resource(row.name, row.scope) for row in rows if row.scope))


def judging(clock: MovableClock, rows: Sequence[Row] = ROWS, *, edit_max_age: int | None = None) -> StepUps:
    """Return step-ups of a gateway with these rows."""
    resources = resources_of(rows)
    return StepUps(now=clock, resources=resources, rules=rules_of(resources, rows, edit_max_age=edit_max_age))
