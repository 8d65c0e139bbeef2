"""Step-up: what must be proven, kept on our side until the person has proven it.

Owns challenges, the loop guard, and the answer to "what may this session do?", each by the resource that it is about.
No answer of ours shows claims: the browser gets the id of a challenge, and the claims pass through it inside the
authorization request only.
"""

import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from gateway import errors
from gateway.demand import Demand
from gateway.flows.access_rules import PROFILE_EDIT, AccessRule
from gateway.flows.confirmations import confirmations_of
from gateway.session.records import Entries, RecordKind
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field
from gateway.tokens.resources import EDIT, GRAPH, Resource, Resources
from gateway.tokens.token_records import GRANTED, REFUSAL, TOKEN
from servicekit.refusals import RefusalKind

GRANTED_ACCESS: Final = "granted"
STEP_UP_FIRST: Final = "step-up"
UNTRIED: Final = "untried"

CHALLENGE_SECONDS: Final = 600
MOST_IN_VAIN: Final = 3
_LOOP_SECONDS: Final = 300

CHALLENGE: Final = RecordKind("challenge", Demand, survives_step_up=True, most=10)
DEMANDED: Final = RecordKind("demanded", int, survives_step_up=True)
"""By resource: it asked for a confirmation that was not given yet."""
ACCEPTED: Final = RecordKind("edited", int, survives_step_up=True)
"""By resource, for editing without one: it has accepted a token since the last confirmation."""


def accepted_field(resource: Resource) -> str:
    """Return the name of the record that says that confirmations for `resource` are not in vain."""
    return ACCEPTED.field(_accepted_key(resource))


class StepUps:
    """Keeps challenges for ten minutes in the session that met them; a step-up ends those of its resource.

    `rules` are by the names that access, actions and problems have them by.
    """

    def __init__(
        self, *, now: Callable[[], float], resources: Resources, rules: Mapping[str, AccessRule]
    ) -> None:
        self._now = now
        self._resources = resources
        self.rules = rules
        ageing = {rule.resource.key for rule in rules.values() if rule.max_age is not None}
        # Reading and editing are one thing to a person.
        self._ageing = ageing | ({resources.read.key} if EDIT in ageing else set())
        self._actions: dict[str, str] = {}
        for name, rule in rules.items():
            if not rule.protected:
                self._actions.setdefault(rule.resource.key, name)
        names = [name for rule in rules.values() for name in fields_of(rule)]
        self.access_fields = (*dict.fromkeys(names), GRANTED.field())
        """The names of the records that say what a session may do."""

    async def keep(
        self, session: LiveSession, required: errors.StepUpRequired, beside: Entries | None = None
    ) -> errors.StepUpRequired:
        """Keep what is demanded, and `beside` with it, and return the error with the way out.

        Raises StepUpLoop instead of a fourth for the same resource, and SignInRequired when the session has ended.
        A confirmation that brought a token counts as in vain until its resource accepts one.
        """
        resource = self._resources.of_scope(required.demand.scope)
        if await self._in_vain(session, resource) >= MOST_IN_VAIN:
            raise errors.StepUpLoop(retry_after=_LOOP_SECONDS)
        identifier, until = secrets.token_urlsafe(16), self._now() + CHALLENGE_SECONDS
        kept = CHALLENGE.entry(required.demand, until, identifier)
        way = {"challenge": identifier}
        if action := self._actions.get(resource.key):
            kept |= DEMANDED.entry(1, until, resource.key)
            if resource.key not in {GRAPH, EDIT}:
                way["action"] = action  # for whoever comes when the challenge is forgotten
        if not await session.records.put({**kept, **(beside or {})}):
            raise errors.SignInRequired(await session.records.end_reason())
        # A copy: requests that waited for the same refresh share what it raised, and each gets a way of its own.
        return required.by_way_of(f"/auth/step-up?{urlencode(way)}")

    async def demand(self, session: LiveSession, challenge: str | None, action: str | None = None) -> Demand:
        """Return what a step-up must bring: as `challenge` tells, else or when it is forgotten as `action` needs.

        Without an action that is editing; raises NotFound for one that no rule has. Where confirmations age, each must
        be given on this very flow: one that the authority remembers would be counted as young, and whoever finds the
        browser open could renew it without being asked anything.
        """
        demand = None
        if challenge and (stored := await session.records.get(CHALLENGE, challenge)):
            demand = stored if stored.scope in self._resources else None
        if demand is None:
            rule = self.rules.get(action or PROFILE_EDIT)
            if rule is None:
                raise errors.NotFound("There is nothing of this name to confirm for.")
            demand = Demand(rule.resource.scope)
        ages = self._resources.of_scope(demand.scope).key in self._ageing
        return replace(demand, fresh=True, max_age=None) if ages else demand

    def demand_freshness(self, session: LiveSession, rule: AccessRule) -> None:
        """Raise StepUpRequired when there was no confirmation yet, or it is older than the rule allows."""
        if self._is_stale(session, rule):
            raise errors.StepUpRequired(
                Demand(rule.resource.scope, fresh=True),
                cause="there is no confirmation yet, or it is too old",
            )

    async def access(self, session: LiveSession) -> dict[str, str]:
        """Say of each rule whether a request would go through now; asks nobody outside.

        `granted`, or `step-up`: the person has to confirm first; or `untried`, where nobody knows before it was tried.
        """
        return {name: await self._access(session, rule) for name, rule in self.rules.items()}

    async def _access(self, session: LiveSession, rule: AccessRule) -> str:
        """Judge one rule.

        Once confirmed, the authority renews the token without asking again; unless there is nothing to renew it with,
        or that does not reach so far, or a refusal of the last seconds or a demand says otherwise.
        """
        key, records = rule.resource.key, session.records
        if self._is_stale(session, rule):
            return STEP_UP_FIRST
        if await records.get(TOKEN, key):
            return GRANTED_ACCESS
        is_confirmed = key in confirmations_of(session.user)
        if session.user.ends_at is not None or (rule.protected and not is_confirmed):
            return STEP_UP_FIRST
        if await _is_refused(session, rule):
            return STEP_UP_FIRST
        return GRANTED_ACCESS if is_confirmed else UNTRIED

    def access_until(self, session: LiveSession) -> float:
        """Return until when `access` says the same unless something is written, in seconds since 1970."""
        too_old = (
            self.fresh_until(session, rule)
            for rule in self.rules.values()
            if not self._is_stale(session, rule)
        )
        return min((session.records.next_end(self.access_fields, self._now()), *too_old))

    def fresh_until(self, session: LiveSession, rule: AccessRule) -> float:
        """Return until when `demand_freshness` lets a session go on, in seconds since 1970; 0 where it does not."""
        if rule.max_age is None:
            return math.inf
        last = confirmations_of(session.user).get(rule.resource.key)
        return last.at + rule.max_age if last else 0.0

    def success(self, session: LiveSession, resource: Resource) -> dict[str, Field | None]:
        """Return what to write once `resource` has accepted a token: confirmations for it are not in vain.

        Nothing where that is known, as far as those records were read.
        """
        last = confirmations_of(session.user).get(resource.key)
        accepted, demanded = session.records.raw((accepted_field(resource), DEMANDED.field(resource.key)))
        entries: dict[str, Field | None] = {}
        if last and last.in_vain and not accepted:
            entries |= ACCEPTED.entry(1, session.absolute_at, _accepted_key(resource))
        if demanded:
            entries[DEMANDED.field(resource.key)] = None
        return entries

    async def in_vain_after(self, session: LiveSession, resource: Resource) -> int:
        """Return the count that a session carries on after one more confirmation for `resource`."""
        return await self._in_vain(session, resource) + 1

    async def _in_vain(self, session: LiveSession, resource: Resource) -> int:
        last = confirmations_of(session.user).get(resource.key)
        if last is None or not last.in_vain or self._now() - last.at >= _LOOP_SECONDS:
            return 0
        accepted = await session.records.get(ACCEPTED, _accepted_key(resource))
        return 0 if accepted else last.in_vain

    def _is_stale(self, session: LiveSession, rule: AccessRule) -> bool:
        """Tell whether confirmations age here, and there is none that is young enough."""
        return rule.max_age is not None and self._now() >= self.fresh_until(session, rule)


async def _is_refused(session: LiveSession, rule: AccessRule) -> bool:
    """Tell whether it is known that the authority gives no token, or that the resource wants a stronger one."""
    key, records = rule.resource.key, session.records
    granted = await records.get(GRANTED)
    if granted is not None and rule.resource.scope not in granted:
        return True
    refused = await records.get(REFUSAL, key)
    if refused and not refused.beside and (rule.protected or refused.kind == RefusalKind.INTERACTION.value):
        return True
    if rule.protected:
        return False
    return await records.get(DEMANDED, key) is not None


def unmet(records: Mapping[str, Field], resource: Resource) -> dict[str, Field]:
    """Return records without those that a confirmation for `resource` ends: its token, its challenges and their end."""
    ended = {TOKEN.field(resource.key), DEMANDED.field(resource.key), accepted_field(resource)}
    return {
        name: field
        for name, field in records.items()
        if name not in ended and not _is_challenge(name, field, resource)
    }


def _is_challenge(name: str, field: Field, resource: Resource) -> bool:
    if not name.startswith(f"{CHALLENGE.name}:"):
        return False
    demand = CHALLENGE.read(field.value)
    return demand is None or demand.scope == resource.scope


def _accepted_key(resource: Resource) -> str:
    return "" if resource.name == EDIT else resource.key


def fields_of(rule: AccessRule) -> tuple[str, ...]:
    """Return the names of the records that say whether a rule's resource takes a token."""
    key = rule.resource.key
    own = (TOKEN.field(key), REFUSAL.field(key))
    return own if rule.protected else (*own, DEMANDED.field(key))
