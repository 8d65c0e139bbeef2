"""What a session knows of confirmations, by the keys of resources.

Owns how they lie in a session's record, so that the release before, which knows one for reading or editing, and this
one read each other's during a rolling update.
Never decides whether one is good enough: `step_up.py` does.
"""

from collections.abc import Mapping
from typing import Any

from gateway.session.confirmation import Confirmation
from gateway.session.sessions import UserSession
from gateway.tokens.resources import EDIT, GRAPH, Resource


def confirmations_of(user: UserSession) -> Mapping[str, Confirmation]:
    """Return the last confirmation for each resource that there was one for.

    The release before counted both of its resources together: its count is that of the one confirmed last.
    """
    if user.confirmations is not None:
        return user.confirmations
    edit, last, in_vain = user.last_mfa_at, user.last_step_up_at, user.step_ups_in_vain
    known = {}
    if edit is not None:
        known[EDIT] = Confirmation(edit, in_vain if edit == last else 0)
    if last is not None and last != edit:
        known[GRAPH] = Confirmation(last, in_vain)
    return known


def members_after(before: UserSession, resource: Resource, *, at: int, in_vain: int) -> dict[str, Any]:
    """Return the members of `UserSession` once the person has confirmed for `resource` as well."""
    members: dict[str, Any] = {
        "confirmations": {**confirmations_of(before), resource.key: Confirmation(at, in_vain)},
        "last_mfa_at": before.last_mfa_at,
        "last_step_up_at": before.last_step_up_at,
        "step_ups_in_vain": before.step_ups_in_vain,
    }
    if resource.key in {GRAPH, EDIT}:
        members |= {"last_step_up_at": at, "step_ups_in_vain": in_vain}
    if resource.key == EDIT:
        # What reading or an upstream asked for need not be what editing asks for.
        members["last_mfa_at"] = at
    return members
