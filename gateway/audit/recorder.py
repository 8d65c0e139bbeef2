"""Records facts: each once, with who and from where.

Owns what of a fact the person sees and what the trail gets.
Never fails and never waits: what cannot be kept is counted, and the work goes on.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from gateway.audit.activity import Activity, ActivityEntry
from gateway.audit.fact import FAILED, REFUSED, SUCCESS, UNKNOWN, Fact, Outcome
from gateway.audit.origin import current_origin
from gateway.store.keyed_names import keyed_names
from gateway.store.names import SessionRef
from gateway.store.vault import Vault
from servicekit.problems import ProblemError

_OUR_FAULTS: Final = 500


@dataclass(frozen=True, slots=True)
class Subject:
    """Who it was, and in which session: tenant and object id, and the session's reference."""

    tid: str
    oid: str
    ref: SessionRef


class Audit:
    """Records facts; `now` is Redis' clock, by which a person's entries are dated."""

    def __init__(self, vault: Vault, activity: Activity, *, now: Callable[[], float]) -> None:
        self._vault = vault
        self._activity = activity
        self._now = now

    def record(
        self,
        fact: Fact,
        who: Subject,
        *,
        outcome: Outcome = SUCCESS,
        reason: str = "",
        fields: Sequence[str] = (),
        sessions: int | None = None,
    ) -> None:
        """Record a fact about `who`; `fields` are names, `reason` is a slug, `sessions` how many it ended."""
        origin = current_origin()
        entry = ActivityEntry(
            self._now(),
            fact.name,
            outcome,
            self.session_names(who.ref)[0],
            origin.reference,
            origin.device,
            "" if origin.address.network == "unknown" else origin.address.network,
            reason,
            tuple(fields),
            sessions,
        )
        self._activity.note(who.tid, who.oid, entry)

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


def outcome_of(problem: ProblemError) -> Outcome:
    """Return how what met a problem ended."""
    if problem.members.get("outcome") == UNKNOWN:
        return UNKNOWN
    return FAILED if problem.status >= _OUR_FAULTS else REFUSED
