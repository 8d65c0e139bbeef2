"""Records facts, each once: for the trail, and the part that the person sees.

Owns what of a fact goes where, and what a session is called there.
Never fails and never waits: what cannot be kept is counted, and the work goes on.
"""

import asyncio
import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from gateway.audit.activity import Activity, ActivityEntry
from gateway.audit.facts import GRANT_ENDED, SESSION_ENDED
from gateway.audit.origin import Origin, current_origin
from gateway.audit.subject import Subject
from gateway.store.keyed_names import keyed_names
from gateway.store.names import SessionRef
from gateway.store.vault import Vault
from servicekit.audit.fact import SUCCESS, UNKNOWN, Fact, Outcome, outcome_of
from servicekit.audit.trail import Trail
from servicekit.problems import ProblemError

_MOST_NAMED: Final = 1_024
_REVOKED: Final = "revoked"
_SHOWN_ENDS: Final = frozenset({_REVOKED, "too-many-sessions"})
"""Ends that nobody asked for; those that somebody did are shown where they are asked for."""


class Audit:
    """Records facts; `now` is Redis' clock, by which a person's entries are dated. There may be no `trail`."""

    def __init__(
        self, vault: Vault, activity: Activity, trail: Trail | None, *, now: Callable[[], float]
    ) -> None:
        self._vault = vault
        self._activity = activity
        self._trail = trail
        self._now = now
        # Of the sessions in which something is done one upon the other: a keyed hash takes longer than all else here.
        self._session_name = functools.lru_cache(_MOST_NAMED)(lambda ref: self.session_names(ref)[0])

    def record(
        self,
        fact: Fact,
        who: Subject | None = None,
        *,
        outcome: Outcome = SUCCESS,
        reason: str = "",
        fields: Sequence[str] = (),
        upstream: str = "",
        method: str = "",
    ) -> None:
        """Record a fact about `who`, or about the request's person; `fields` are names, `reason` is a slug.

        `upstream` is the name of one, `method` that of what it was sent.

        One about nobody, and a limit that somebody goes on to meet, is counted from the twentieth in a minute on.
        """
        origin = current_origin()
        who = who or origin.subject
        origin.has_failed = origin.has_failed or outcome != SUCCESS
        if self._trail:
            ref = who.ref if who else origin.session
            members = {
                "outcome": outcome,
                "reason": reason,
                **_person(who),
                "session": self._session_name(ref) if ref else "",
                "fields": list(fields),
                "upstream": upstream,
                "method": method,
                **_place(origin),
            }
            kind = (reason, who.oid if who else "") if fact.is_common or who is None else None
            self._trail.record(fact, members, kind=kind)
        if who and fact.is_shown:
            self.show(fact, who, outcome=outcome, reason=reason, fields=fields)

    def show(
        self,
        fact: Fact,
        who: Subject,
        *,
        outcome: Outcome = SUCCESS,
        reason: str = "",
        fields: Sequence[str] = (),
        sessions: int | None = None,
    ) -> None:
        """Show a fact to its person and to nobody else; `sessions` is how many it ended."""
        origin = current_origin()
        entry = ActivityEntry(
            self._now(),
            fact.name,
            outcome,
            self._session_name(who.ref),
            origin.reference,
            origin.device,
            origin.network,
            reason,
            tuple(fields),
            sessions,
        )
        self._activity.note(who.tid, who.oid, entry)

    def session_ended(self, ref: SessionRef, reason: str) -> None:
        """Record that a session was ended, by the request's person or by whoever ends sessions without one."""
        if self._trail:
            origin = current_origin()
            members = {
                "outcome": SUCCESS,
                "reason": reason,
                **_person(origin.subject),
                "session": self._session_name(ref),
                **_place(origin),
            }
            if reason == _REVOKED:
                self._trail.record(GRANT_ENDED, members)
            self._trail.record(SESSION_ENDED, members)
        who = current_origin().subject
        if who and reason in _SHOWN_ENDS:
            self.show(SESSION_ENDED, who, reason=reason, sessions=1)

    @contextmanager
    def failures(
        self, fact: Fact, who: Subject, *, but: type[ProblemError], fields: Sequence[str] = ()
    ) -> Iterator[None]:
        """Record the problem that the block ends in, other than `but`; cancelled, nobody will know how it ended."""
        try:
            yield
        except but:
            raise
        except ProblemError as problem:
            self.record(fact, who, outcome=outcome_of(problem), reason=problem.slug, fields=fields)
            raise
        except asyncio.CancelledError:
            self.record(fact, who, outcome=UNKNOWN, fields=fields)
            raise

    def session_names(self, ref: SessionRef) -> list[str]:
        """Return what the trail calls a session under each sealing key, whatever id a step-up gives it."""
        return keyed_names(self._vault, ref)


def _person(who: Subject | None) -> dict[str, str]:
    return {"tenant": who.tid, "person": who.oid} if who else {}


def _place(origin: Origin) -> dict[str, str]:
    return {
        "address": origin.address,
        "network": origin.network,
        "user_agent": origin.user_agent,
        "route": origin.route,
        "reference": origin.reference,
    }
