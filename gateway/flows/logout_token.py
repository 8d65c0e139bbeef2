"""The logout token: whether it is the authority's, fresh and meant for us, and which sessions it ends.

Owns the checks of OpenID Connect Back-Channel Logout 1.0, section 2.6.
Never ends a session, and never remembers a token: whether it came before is for whoever keeps records.
"""

from dataclasses import dataclass
from typing import Any, Final

from servicekit.errors import BadRequest
from servicekit.jwt_verifier import ClaimRules, JwtVerifier, TokenRejected

FRESH_SECONDS: Final = 120
LEEWAY_SECONDS: Final = 60
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
# `logout+jwt` is recommended (section 2.4); providers older than the final text still say `JWT`, or nothing.
_TYPES: Final = frozenset({"logout+jwt", "jwt"})
_LONGEST_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class LogoutOrder:
    """What a believed token says: end the sessions of `sid`, of `sub`, or where both are named, of both together.

    `issued_at` is in seconds since 1970; `identifier` is the token's own name.
    """

    identifier: str
    issued_at: int
    sid: str | None
    sub: str | None


class LogoutTokenJudge:
    """Judges the logout tokens of one authority for one client."""

    def __init__(self, verifier: JwtVerifier, *, issuer: str, client_id: str) -> None:
        self._verifier = verifier
        # Entra's `tid` is not asked for: the issuer names the tenant already, and other providers have none.
        self._rules = ClaimRules(
            issuer=issuer,
            audience=client_id,
            leeway_seconds=LEEWAY_SECONDS,
            required=frozenset({"jti", "events"}),
            types=_TYPES,
        )

    async def order(self, logout_token: str, *, now: float) -> LogoutOrder:
        """Return what the token orders; `now` is the wall clock in seconds.

        Raises BadRequest when anything is wrong, and what the verifier raises when there are no keys to judge with.
        """
        try:
            claims = await self._verifier.verify(logout_token, self._rules)
        except TokenRejected as rejected:
            raise _refused(str(rejected)) from rejected
        if claims["iat"] < now - FRESH_SECONDS - LEEWAY_SECONDS:
            raise _refused("stale")
        if "nonce" in claims:
            # An ID token must not pass for a logout token.
            raise _refused("nonce")
        if not _is_logout(claims["events"]):
            raise _refused("events")
        sid, sub = (_name(claims, name) if name in claims else None for name in ("sid", "sub"))
        if sid is None and sub is None:
            raise _refused("neither sid nor sub")
        return LogoutOrder(_name(claims, "jti"), claims["iat"], sid, sub)


def _is_logout(events: object) -> bool:
    return isinstance(events, dict) and isinstance(events.get(EVENT), dict)


def _name(claims: dict[str, Any], name: str) -> str:
    """Return a claim that names something. That it is text, the verifier has seen."""
    value: str = claims[name]
    if not 0 < len(value) <= _LONGEST_NAME:
        raise _refused(name)
    return value


def _refused(reason: str) -> BadRequest:
    return BadRequest("The logout token cannot be accepted.", log_detail=f"logout token: {reason}")
