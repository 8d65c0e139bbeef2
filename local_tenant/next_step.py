"""``next_step``: the one place that decides what a person must do next on an authorization code flow.

Pages never route to one another; each does its part and comes back here, so no step can be skipped.
Decides only: shows nothing, issues nothing.
Source: OpenID Connect Core 3.1.2.3, Entra's ``prompt`` and Conditional Access.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from local_tenant.directory import Person
from local_tenant.refusals import AadstsRefusal, refusal
from local_tenant.scopes import check_consent
from local_tenant.sessions import Flow, SsoSession
from local_tenant.tenant import Tenant


class Step(Enum):
    """What comes next on a flow."""

    SIGN_IN = "sign in"
    SIGN_UP = "sign up"
    CHOOSE_ACCOUNT = "choose account"
    SECOND_FACTOR = "second factor"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that ``next_step`` looks at."""

    tenant: Tenant
    flow: Flow
    session: SsoSession | None
    person: Person | None

    @classmethod
    def of(cls, tenant: Tenant, flow: Flow, cookie: str | None) -> "Situation":
        """Return the situation of the browser with this cookie; a disabled or deleted person is signed out."""
        session = tenant.sessions.current(cookie)
        person = tenant.directory.by_oid(session.oid) if session else None
        if session and (person is None or not person.enabled):
            return cls(tenant, flow, None, None)
        return cls(tenant, flow, session, person)


def _no_session(now: Situation) -> bool:
    return now.session is None


def _login_prompted(now: Situation) -> bool:
    return "login" in now.flow.request.prompt


def _another_account(now: Situation) -> bool:
    return now.flow.wants_sign_in


def _signing_up(now: Situation) -> bool:
    return now.flow.wants_sign_up


def _signed_in_too_long_ago(now: Situation) -> bool:
    max_age, session = now.flow.request.max_age, now.session
    return (
        max_age is not None
        and session is not None
        and (now.tenant.clock() - session.proof.auth_time > max_age)
    )


def _hint_names_someone_else(now: Situation) -> bool:
    hint = now.flow.request.login_hint
    return bool(hint) and hinted_person(now.tenant, hint) is not now.person


SIGN_IN_BECAUSE: Final[tuple[Callable[[Situation], bool], ...]] = (
    _no_session,
    _login_prompted,
    _another_account,
    _signing_up,
    _signed_in_too_long_ago,
    _hint_names_someone_else,
)
"""Why the person must say who they are; all but the first are settled when they do it once on this flow."""


def next_step(now: Situation) -> Step:
    """Return what the person must do next. Raises a refusal when nothing they could do would help.

    Not checked here: client, redirect URI and parameters, which ``authorize`` has refused before there is a flow.
    """
    session, person, request = now.session, now.person, now.flow.request
    if session is None or person is None or now.flow.signed_in_as != person.oid:
        if any(because(now) for because in SIGN_IN_BECAUSE):
            return Step.SIGN_UP if now.flow.wants_sign_up else Step.SIGN_IN
        if "select_account" in request.prompt and not now.flow.chosen:
            return Step.CHOOSE_ACCOUNT
    if session is None or person is None:  # the checks above have seen to it; this tells the type checker
        return Step.SIGN_IN
    _check_consent(now)
    unmet = now.tenant.policies.unmet(
        request.requested.resources, request.claims_request, person, session.proof
    )
    if unmet is None:
        return Step.ANSWER
    if unmet.number == 50076:  # noqa: PLR2004 - AADSTS50076: the one refusal that the person can meet here
        return Step.SECOND_FACTOR
    raise unmet


def _check_consent(now: Situation) -> None:
    client = now.tenant.directory.app(now.flow.request.client_id)
    try:
        for resource in now.flow.request.requested.resources:
            check_consent(client, now.flow.request.requested, resource)
    except AadstsRefusal:
        if "none" in now.flow.request.prompt:
            raise
        raise refusal(90094) from None  # people can't consent in an external tenant


SILENT_REFUSALS: Final = {
    Step.SIGN_IN: 50058,
    Step.SIGN_UP: 50058,
    Step.CHOOSE_ACCOUNT: 50058,
    Step.SECOND_FACTOR: 50076,
}
"""What ``prompt=none`` answers where a page would be needed."""


def hinted_person(tenant: Tenant, hint: str | None) -> Person | None:
    """Return whom ``login_hint`` names: an address, a user principal name, or the opaque claim's value."""
    if not hint:
        return None
    if by_address := tenant.directory.find(hint):
        return by_address
    for person in tenant.directory.people.values():
        if hint in (person.user_principal_name, tenant.mint.login_hint(person)):
            return person
    return None
