"""Which limits there are, whom each of them counts, and how much it lets through.

Owns the figures, all of which follow from four settings; docs/explanation/decisions/2026-11-26-rate-limits.md has the
reasons.
Never counts anything (`limits.py`), and never says which route has which limit: the routes' rows do.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

MINUTE: Final = 60
TEN_MINUTES: Final = 600
"""As long as a flow is kept in Redis."""
WIDE: Final = 8
"""How many times as much as one network the /16 or /48 around it may do."""
ALL: Final = 64
"""How many times as much as one network all may do together."""
ASSURED: Final = 0.1
"""Which part of its own a network has in ten minutes whatever others do: those of its /16, or all of them."""
BEHIND: Final = 0.5
"""Which part may come for one network of those that a proxy names which we do not know: others come by it, too."""
LEAST_BEHIND: Final = 10


class Limit(enum.Enum):
    """A limit, by its name in metrics and logs."""

    # Each is there once; the one of `Enum` is a function in Python, and limits are looked up for each request.
    __hash__ = object.__hash__

    SIGN_INS = "sign-ins"
    """Sign-ins and sign-ups begun."""
    CALLBACKS = "callbacks"
    """Answers of the authority that belong to no flow, or bring a code that is none."""
    LOGOUT_CALLS = "logout-calls"
    """Calls of the front channel, and sign-outs, that end nothing."""
    LOGOUT_TOKENS = "logout-tokens"
    """Logout tokens that are not to be believed; one that is, is never refused."""
    SESSION_COOKIES = "session-cookies"
    """Cookies that open no session: those that are not of our making, and one that has ended, again and again."""
    STEP_UPS = "step-ups"
    """Step-ups begun; each can bring one code to the authority."""
    EDITS = "edits"
    """Edits sent, and parked ones applied."""
    READS = "reads"
    """Profiles read."""
    STREAMS = "streams"
    """Event streams opened."""
    OWN_SESSIONS = "own-sessions"
    """Lists of sessions, and ends of them."""
    UPSTREAM_READS = "upstream-reads"
    """Safe requests to upstreams."""
    UPSTREAM_WRITES = "upstream-writes"
    """All other requests to upstreams."""
    ANONYMOUS_READS = "anonymous-reads"
    """Safe requests to upstreams that answer without a session, of whoever has none."""
    ANONYMOUS_WRITES = "anonymous-writes"
    """All other requests of these."""


OF_NETWORKS: Final = frozenset(
    {
        *(Limit.SIGN_INS, Limit.CALLBACKS, Limit.LOGOUT_CALLS, Limit.LOGOUT_TOKENS, Limit.SESSION_COOKIES),
        *(Limit.ANONYMOUS_READS, Limit.ANONYMOUS_WRITES),
    }
)
CLAIMED: Final = frozenset({Limit.SIGN_INS, Limit.STEP_UPS})
"""Counted in Redis in the step that writes what is begun; of the others each process tells the others in batches."""
IN_VAIN: Final = frozenset({Limit.CALLBACKS, Limit.LOGOUT_CALLS})
"""Counted when it is known that they came to nothing, so that people who come back or sign out are never counted."""

SENTENCES: Final[Mapping[Limit, str]] = {
    Limit.SIGN_INS: "Too many sign-ins were started from this network.",
    Limit.CALLBACKS: "Too many answers came from this network that belong to no sign-in.",
    Limit.LOGOUT_CALLS: "Too many calls came from this network that sign nobody out.",
    Limit.LOGOUT_TOKENS: "Too many logout tokens came from this network that are none.",
    Limit.SESSION_COOKIES: "Too many cookies came that open no session.",
    Limit.STEP_UPS: "You were sent to confirm who you are too often.",
    Limit.EDITS: "You changed your profile too often.",
    Limit.READS: "Your profile was read too often.",
    Limit.STREAMS: "Your pages listened anew too often.",
    Limit.OWN_SESSIONS: "You looked at your sessions too often.",
    Limit.UPSTREAM_READS: "Your pages asked too often.",
    Limit.UPSTREAM_WRITES: "You changed something too often.",
    Limit.ANONYMOUS_READS: "Too many requests came from this network without a sign-in.",
    Limit.ANONYMOUS_WRITES: "Too many changes came from this network without a sign-in.",
}


@dataclass(frozen=True, slots=True)
class Window:
    """So much at once, and as much again in so many seconds."""

    most: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Rule:
    """What a limit lets through, by its windows."""

    windows: tuple[Window, ...]


STEP_UPS: Final = 30
EDITS: Final = 120
READS: Final = 1_200
"""What one person may do in a minute, at least: more where an operator lets a network begin more sign-ins."""


def rules_of(
    *, sign_ins: int, step_ups: int | None = None, edits: int | None = None, reads: int | None = None
) -> Mapping[Limit, Rule]:
    """Return the rule of each limit, by what is allowed in a minute: sign-ins to a network, the rest to a person."""
    step_ups = step_ups or max(STEP_UPS, sign_ins // 20)
    edits = edits or max(EDITS, sign_ins // 5)
    reads = reads or max(READS, 2 * sign_ins)
    a_minute = Rule((Window(sign_ins, MINUTE),))
    return {
        # A flow stays in Redis for ten minutes: what one network can leave there is bounded as well.
        Limit.SIGN_INS: Rule((Window(sign_ins, MINUTE), Window(2 * sign_ins, TEN_MINUTES))),
        Limit.CALLBACKS: a_minute,
        Limit.LOGOUT_CALLS: a_minute,
        Limit.LOGOUT_TOKENS: a_minute,
        Limit.SESSION_COOKIES: a_minute,
        Limit.STEP_UPS: Rule((Window(step_ups, MINUTE),)),
        Limit.EDITS: Rule((Window(edits, MINUTE),)),
        Limit.READS: Rule((Window(reads, MINUTE),)),
        Limit.STREAMS: Rule((Window(max(1, reads // 4), MINUTE),)),
        Limit.OWN_SESSIONS: Rule((Window(max(1, reads // 10), MINUTE),)),
        Limit.UPSTREAM_READS: Rule((Window(reads, MINUTE),)),
        Limit.UPSTREAM_WRITES: Rule((Window(edits, MINUTE),)),
        # A page of a front end asks several times where a sign-in is one.
        Limit.ANONYMOUS_READS: Rule((Window(10 * sign_ins, MINUTE),)),
        Limit.ANONYMOUS_WRITES: a_minute,
    }


class Caller(NamedTuple):
    """Who is counted: a network with the one around it and perhaps one behind it, or anybody else by a name alone.

    `network` and `session` are what the log may say of them.
    """

    name: str
    wide: str = ""
    behind: str | None = None
    network: str = ""
    session: str = ""
