"""What access is judged by: for each thing that a session may do, the resource that it needs and how it is confirmed.

Owns the form of a rule, and the one that comes along: editing the profile.
Never judges: `step_up.py` does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.tokens.resources import Resource, Resources

PROFILE_EDIT: Final = "profile.edit"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Something that a session may do with a token for `resource`.

    `max_age` is how long a confirmation is good in seconds, or None where the authority alone decides. What is
    `protected` nobody may do before the first confirmation; of anything else that is not known until it was tried.
    """

    resource: Resource
    max_age: int | None = None
    protected: bool = False


class RowWithScope(Protocol):
    """What a rule takes from the row of an upstream."""

    @property
    def name(self) -> str:
        """What access, actions and problems call it."""

    @property
    def scope(self) -> str | None:
        """The scope of the token that it attaches, if it attaches one."""

    @property
    def max_age(self) -> int | None:
        """How long a confirmation is good, in seconds."""


def rules_of(
    resources: Resources, rows: Iterable[RowWithScope] = (), *, edit_max_age: int | None = None
) -> dict[str, AccessRule]:
    """Return the rules by their names: the profile's, then that of each row with a scope, by the row's name."""
    return {
        PROFILE_EDIT: AccessRule(resources.edit, edit_max_age, protected=True),
        **{
            row.name: AccessRule(resources.of_scope(row.scope), row.max_age)
            for row in rows
            if row.scope is not None
        },
    }
