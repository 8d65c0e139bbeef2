"""The logout token: whether it is the authority's, fresh and meant for us, and which sessions it ends.

Owns which checks of `servicekit.jwt_claims` a logout token is judged by (OpenID Connect Back-Channel Logout 1.0,
section 2.6).
Never ends a session, and never remembers a token: whether it came before is for whoever keeps records.
"""

from dataclasses import dataclass
from typing import Final

from servicekit.errors import BadRequest
from servicekit.jwt_claims import LEEWAY_SECONDS, checks_named
from servicekit.jwt_verifier import ClaimRules, JwtVerifier, TokenRejected

FRESH_SECONDS: Final = 120
# `logout+jwt` is recommended (section 2.4); providers older than the final text still say `JWT`, or nothing.
_TYPES: Final = frozenset({"logout+jwt", "jwt"})
_CHECKS: Final = checks_named(
    "issuer",
    "audience",
    "authorized party",
    "expiry",
    "issued at",
    "issued recently",
    "not before",
    "session or subject",
    "logout event",
    "no nonce",
    "identifier",
)


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
    """Judges the logout tokens of one authority for one client; `trusted_audiences` may be named beside us.

    `leeway_seconds` is how far its clock and ours may differ.
    """

    def __init__(
        self,
        verifier: JwtVerifier,
        *,
        issuer: str,
        client_id: str,
        trusted_audiences: frozenset[str] = frozenset(),
        leeway_seconds: int = LEEWAY_SECONDS,
    ) -> None:
        self._verifier = verifier
        # Entra's `tid` is not asked for: the issuer names the tenant already, and other providers have none.
        self._rules = ClaimRules(
            issuer=issuer,
            audience=client_id,
            checks=_CHECKS,
            leeway_seconds=leeway_seconds,
            types=_TYPES,
            trusted_audiences=trusted_audiences,
            longest_age=FRESH_SECONDS,
        )

    async def order(self, logout_token: str) -> LogoutOrder:
        """Return what the token orders.

        Raises BadRequest when anything is wrong, and what the verifier raises when there are no keys to judge with.
        """
        try:
            claims = await self._verifier.verify(logout_token, self._rules)
        except TokenRejected as rejected:
            raise BadRequest(
                "The logout token cannot be accepted.", log_detail=f"logout token: {rejected}"
            ) from rejected
        return LogoutOrder(claims["jti"], int(claims["iat"]), claims.get("sid"), claims.get("sub"))
