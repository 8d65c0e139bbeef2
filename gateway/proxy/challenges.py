"""What an upstream says of a token that it does not take: another one is worth a try, or its person has to confirm.

Owns the reading of a refusal in all of its forms: `insufficient_scope` and `invalid_token` (RFC 6750, section 3.1),
`insufficient_user_authentication` (RFC 9470), and claims, as Entra's resources ask for them.
Never raises over what an upstream sent: a challenge that cannot be read, or of another scheme, is none. Never
believes it about what to ask for: a demand is for the row's own scope, whatever scope a challenge names.
"""

from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs
from multidict import CIMultiDictProxy

from gateway.demand import Demand
from servicekit.challenges import (
    INSUFFICIENT_CLAIMS,
    INSUFFICIENT_SCOPE,
    INSUFFICIENT_USER_AUTHENTICATION,
    INVALID_TOKEN,
    BearerChallenge,
    parse_bearer_challenges,
)

REFUSALS: Final = frozenset({401, 403})
_STEP_UP: Final = frozenset({INSUFFICIENT_SCOPE, INSUFFICIENT_CLAIMS, INSUFFICIENT_USER_AUTHENTICATION})


def challenges_of(status: int, headers: CIMultiDictProxy[str]) -> Sequence[BearerChallenge]:
    """Return the Bearer challenges of a refusal; none of any other answer."""
    return parse_bearer_challenges(headers.getall(hdrs.WWW_AUTHENTICATE, [])) if status in REFUSALS else []


def demand_in(challenges: Sequence[BearerChallenge], scope: str) -> Demand | None:
    """Return what a confirmation must bring, where one is asked for; of several challenges the one that asks for most.

    Claims are one in whatever company: Graph sends them with other errors, too.
    """
    asking = [challenge for challenge in challenges if challenge.error in _STEP_UP or challenge.claims]
    if not asking:
        return None
    return Demand.of_challenge(scope, max(asking, key=_weight))


def refuses_token(challenges: Sequence[BearerChallenge]) -> bool:
    """Tell whether another token is worth a try: clocks, keys, or a token that was revoked."""
    return any(challenge.error == INVALID_TOKEN and not challenge.claims for challenge in challenges)


def _weight(challenge: BearerChallenge) -> int:
    """Return how much a challenge says of the proof: claims are the whole of it, a scope is nothing new."""
    return 2 * bool(challenge.claims) + bool(challenge.acr_values or challenge.max_age is not None)
