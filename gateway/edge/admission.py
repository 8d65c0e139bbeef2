"""Which places a request needs: those of the crowd, or some that a crowd cannot take.

Owns the kinds of places, and how many of each there are. Whoever wants to sign out, comes back from the authority,
loads a page that says what is wrong, or asks whether this process is well, gets on while all others are told to wait.
Never refuses anybody itself: `servicekit/http/admission.py` does.
"""

import enum
from collections.abc import Mapping
from typing import Final

from servicekit.http.admission import WAIT_SECONDS, Admission, AdmissionCounts


class Lane(enum.Enum):
    """A kind of places."""

    WORK = "work"
    """`GATEWAY_MAX_REQUESTS` of them."""
    SIGN_OUT = "sign-out"
    """The ends of sessions, whoever asks for them."""
    RETURN = "return"
    """The way back from the authority: refused, a sign-in that is all but done would be lost."""
    PAGES = "pages"
    """The client's files, and what else is answered from memory."""
    HEALTH = "health"
    """Never refused."""


GO_FIRST: Final = frozenset({Lane.SIGN_OUT, Lane.HEALTH})
"""Whose commands to Redis go before those of others."""
_FEWEST: Final = 4
# As many as of work for what is answered at once, a quarter for what is rare.
_SHARES: Final = {Lane.WORK: 1, Lane.PAGES: 1, Lane.SIGN_OUT: 4, Lane.RETURN: 4}


def admissions(
    max_requests: int, counts: AdmissionCounts, *, wait: float = WAIT_SECONDS
) -> Mapping[Lane, Admission | None]:
    """Return the places of each kind, where `max_requests` are worked on at once; None where nobody is refused.

    `wait` is how long somebody stands in a line, in seconds.
    """
    made: dict[Lane, Admission | None] = {
        lane: Admission(
            lane.value,
            max_requests if lane is Lane.WORK else max(_FEWEST, max_requests // share),
            wait=wait,
            counts=counts,
        )
        for lane, share in _SHARES.items()
    }
    return made | {Lane.HEALTH: None}
