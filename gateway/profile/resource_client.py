"""Calls the resource API.

Owns the one request that edits the profile, and what each answer says of the edit.
Never forwards a header of the browser but the condition, and tells the browser nothing that the API wrote but faults of
fields, and the profile.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway import errors
from gateway.profile.fields import Changes, Profile, holds, profile_of
from gateway.proxy.lent_token import with_token
from gateway.session.sessions import LiveSession
from gateway.tokens.access_token import AccessToken
from gateway.tokens.broker import TokenBroker
from gateway.tokens.resources import Resource
from gateway.upstream_rows import UpstreamRow
from servicekit.errors import (
    NOT_SAVED,
    UNKNOWN,
    AccessBlocked,
    AuthorityUnavailable,
    Misconfigured,
    Outcome,
    Overloaded,
    ResourceUnavailable,
)
from servicekit.http.conditions import etag_of
from servicekit.logs import log_event
from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError
from servicekit.problems import TYPE_PREFIX
from servicekit.refused_writes import refuses_before_doing
from servicekit.reply import Reply

_OK: Final = 200
_RETRY_SECONDS: Final = 5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ApiEdit:
    """An edit that the API made: the profile as it now is, and what its changed fields were, where that is known."""

    profile: Profile
    before: Changes | None = None


class ResourceApiClient:
    """Sends what `row` names: `PATCH {api}/profile`.

    `judges_conditions` is whether the API did so when it was last sent one: an API of the release before does not, and
    a proxy may take them away.
    """

    def __init__(
        self, outbound: Outbound, tokens: TokenBroker, *, row: UpstreamRow, resource: Resource
    ) -> None:
        self._outbound = outbound
        self._tokens = tokens
        self._row = row
        self.resource = resource
        self.judges_conditions = True

    async def edit(self, session: LiveSession, changes: Changes, condition: str | None = None) -> ApiEdit:
        """Apply `changes` (validated); the answer shows the profile with all of them.

        `condition` is an `If-Match`, which the API compares with what it reads right before it writes.
        Raises ProfileChanged, StepUpRequired, AccessBlocked, InvalidProfilePatch, ResourceUnavailable (with the outcome
        of the write), Misconfigured, AuthorityUnavailable, and what `TokenBroker.access_token` raises.
        """
        reply = await with_token(
            self._tokens,
            session,
            self.resource,
            lambda token: self._patch(token, changes, condition),
            name="the API",
        )
        edit = _judge(reply, session, changes, condition)
        if condition is not None:
            self._note_judging(is_judged=edit.before is not None)
        return edit

    def _note_judging(self, *, is_judged: bool) -> None:
        if self.judges_conditions and not is_judged:
            log_event(_log, logging.ERROR, "condition-not-judged")
        self.judges_conditions = is_judged

    async def _patch(self, token: AccessToken, changes: Changes, condition: str | None) -> Reply:
        headers = {"Authorization": f"Bearer {token.value}", "Accept": "application/json"}
        if condition is not None:
            headers["If-Match"] = condition
        try:
            return await self._outbound.send(
                "PATCH",
                self._row.target,
                headers=headers,
                json_body=dict(changes),
                timeout_seconds=self._row.timeout,
            )
        except OutboundError as error:
            outcome: Outcome = UNKNOWN if error.maybe_done else NOT_SAVED
            raise ResourceUnavailable(
                f"the API: {error.reason}", retry_after=error.retry_after, outcome=outcome
            ) from error


# The API's own words for what never reached Graph.
_NOTHING_BEGUN: Final = {kind.slug: kind for kind in (AuthorityUnavailable, Overloaded)}


def _judge(reply: Reply, session: LiveSession, changes: Changes, condition: str | None) -> ApiEdit:
    reason = f"the API answered {reply.status}"
    try:
        body = reply.json()
    except ValueError:
        body = None
    if reply.status == _OK:
        return ApiEdit(_shown(body, session, changes, reason), _before(body, changes))
    problem = body if isinstance(body, dict) else {}
    slug = str(problem.get("type", "")).removeprefix(TYPE_PREFIX)
    if slug == "invalid-profile-patch":
        raise errors.InvalidProfilePatch(_field_errors(problem))
    if slug == errors.ProfileChanged.slug and condition is not None:
        profile = _own(problem.get("profile"), session, reason, NOT_SAVED)
        raise errors.ProfileChanged(profile, etag_of(profile))
    if slug == "access-blocked":
        raise AccessBlocked(log_detail=reason)
    if slug in _NOTHING_BEGUN:
        raise _NOTHING_BEGUN[slug](f"{reason} {slug}", retry_after=reply.retry_after or _RETRY_SECONDS)
    if slug == "misconfigured":
        raise Misconfigured(log_detail=f"{reason}: misconfigured, see its log")
    if reply.status in {400, 401, 403, 404, 405, 413, 415}:
        raise Misconfigured(
            log_detail=f"{reason} {slug}: do GATEWAY_EDIT_PROFILE_SCOPE, GATEWAY_RESOURCE_API_URL and the API's own "
            "client id and allowed clients belong together?"
        )
    raise ResourceUnavailable(
        f"{reason} {slug}",
        retry_after=reply.retry_after,
        outcome=_outcome(reply, problem),
    )


def _shown(body: object, session: LiveSession, changes: Changes, reason: str) -> Profile:
    """Return the profile of a 200; anything but this person's, with every change, is no evidence of a write."""
    profile = _own(body, session, reason, UNKNOWN)
    if not holds(profile, changes):
        raise ResourceUnavailable(f"{reason}, but a profile without the changes", outcome=UNKNOWN)
    return profile


def _before(body: Any, changes: Changes) -> Changes | None:
    """Return what the changed fields were, which the API says wherever it judged a condition."""
    before = body.get("before")
    known = isinstance(before, dict) and before.keys() >= changes.keys()
    return {name: before[name] for name in changes} if known else None


def _own(body: object, session: LiveSession, reason: str, outcome: Outcome) -> Profile:
    """Return the profile that an answer shows, if it is this person's."""
    try:
        profile = profile_of(body)
    except ValueError as error:
        raise ResourceUnavailable(f"{reason}, but no profile", outcome=outcome) from error
    if profile["id"] != session.user.oid:
        raise ResourceUnavailable(f"{reason}, but another person's profile", outcome=outcome)
    return profile


def _outcome(reply: Reply, problem: Mapping[str, Any]) -> Outcome:
    """Return what became of the write: the API says it, and a proxy in between may have refused it before the API."""
    outcome = problem.get("outcome")
    if outcome == NOT_SAVED or (outcome is None and refuses_before_doing(reply.status)):
        return NOT_SAVED
    return UNKNOWN


def _field_errors(problem: Mapping[str, Any]) -> list[dict[str, str]]:
    listed = problem.get("errors")
    return [
        {name: str(entry.get(name, ""))[:200] for name in ("field", "code", "detail")}
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict)
    ]
