"""The ID token: whether it is ours, fresh and meant for this flow, and who it is about.

Owns which checks of `servicekit.jwt_claims` an ID token is judged by (OpenID Connect Core, section 3.1.3.7), because
MSAL since 1.38 checks nothing but the nonce, and that only where an ID token is present.
Never looks at access tokens: what they allow is the resource's business.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.errors import SignInFailed
from servicekit.jwt_claims import LEEWAY_SECONDS, checks_named
from servicekit.jwt_form import ALGORITHM
from servicekit.jwt_verifier import ClaimRules, JwtVerifier, TokenRejected

_CHECKS: Final = checks_named(
    "issuer",
    "audience",
    "authorized party named",
    "authorized party",
    "expiry",
    "issued at",
    "not before",
    "nonce",
    "subject",
)
_ENTRA_CHECKS: Final = checks_named(*(check.name for check in _CHECKS), "tenant", "version", "object id")


@dataclass(frozen=True, slots=True)
class Person:
    """Who the ID token is about; `tid` and `oid` together name them for good, e-mail addresses do not."""

    tid: str
    oid: str
    sub: str
    name: str
    username: str
    sid: str
    login_hint: str
    claims: dict[str, Any]


class IdTokenJudge:
    """Judges the ID tokens of one authority.

    With `tenant_id` it is Entra: `tid`, `oid` and `ver` are required. Without, it is any OpenID provider: the
    issuer stands for the tenant and the subject for the object id. `trusted_audiences` may be named beside us, and
    `leeway_seconds` is how far the authority's clock and ours may differ.
    """

    def __init__(
        self,
        verifier: JwtVerifier,
        *,
        issuer: str,
        client_id: str,
        tenant_id: str | None = None,
        trusted_audiences: frozenset[str] = frozenset(),
        leeway_seconds: int = LEEWAY_SECONDS,
    ) -> None:
        self._verifier = verifier
        self._tenant_id = tenant_id
        self._rules = ClaimRules(
            issuer=issuer,
            audience=client_id,
            checks=_ENTRA_CHECKS if tenant_id else _CHECKS,
            leeway_seconds=leeway_seconds,
            trusted_audiences=trusted_audiences,
            tenant_id=tenant_id,
            version="2.0" if tenant_id else None,
        )

    async def person(self, id_token: object, *, nonce: str | None) -> Person:
        """Return whom the token is about; `nonce` is what the flow sent (None for a refresh, which has none).

        Raises SignInFailed when anything is wrong, AuthorityUnavailable when there are no keys to judge with, and
        Misconfigured when there are none that we accept.
        Not checked here: whether the person is the one expected; see `UserSession.is_same_person`.
        """
        if not isinstance(id_token, str):
            raise SignInFailed(log_detail="no ID token")
        try:
            claims = await self._verifier.verify(id_token, replace(self._rules, nonce=nonce))
        except TokenRejected as rejected:
            if rejected.code == ALGORITHM:
                # It comes straight from the authority, which may sign by nothing that we could ever accept.
                rejected.keys_may_be_old = not await self._verifier.check_keys()
            raise SignInFailed(log_detail=f"ID token: {rejected}") from rejected
        sub = claims["sub"]
        return Person(
            tid=self._tenant_id or self._rules.issuer,
            oid=claims["oid"] if self._tenant_id else sub,
            sub=sub,
            name=_text(claims, "name") or _text(claims, "preferred_username"),
            username=_text(claims, "email") or _text(claims, "preferred_username"),
            sid=_text(claims, "sid"),
            login_hint=_text(claims, "login_hint") or _text(claims, "preferred_username"),
            claims=claims,
        )


def _text(claims: dict[str, Any], name: str) -> str:
    """Return what is shown or passed on where it is text; in any other form it is as if it were not there."""
    value = claims.get(name)
    return value if isinstance(value, str) else ""
