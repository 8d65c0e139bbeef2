"""The ID token: whether it is ours, fresh and meant for this flow, and who it is about.

Owns the checks of OpenID Connect Core, section 3.1.3.7, because MSAL since 1.38 checks nothing but the nonce, and
that only where an ID token is present.
Never looks at access tokens: what they allow is the resource's business.
"""

import hmac
from dataclasses import dataclass
from typing import Any, Final

from gateway.errors import SignInFailed
from servicekit.jwt_verifier import ClaimRules, JwtVerifier, TokenRejected

_REQUIRED: Final = frozenset({"sub", "iat", "exp"})
_LEEWAY_SECONDS: Final = 120


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
    issuer stands for the tenant and the subject for the object id.
    """

    def __init__(
        self, verifier: JwtVerifier, *, issuer: str, client_id: str, tenant_id: str | None = None
    ) -> None:
        self._verifier = verifier
        self._client_id = client_id
        self._tenant_id = tenant_id
        entra = {"oid"} if tenant_id else set()
        self._rules = ClaimRules(
            issuer=issuer,
            audience=client_id,
            leeway_seconds=_LEEWAY_SECONDS,
            required=_REQUIRED | entra,
            tenant_id=tenant_id,
            version="2.0" if tenant_id else None,
        )

    async def person(self, id_token: object, *, nonce: str | None) -> Person:
        """Return whom the token is about; `nonce` is what the flow sent (None for a refresh, which has none).

        Raises SignInFailed when anything is wrong, AuthorityUnavailable when there are no keys to judge with.
        Not checked here: whether the person is the one expected; see `UserSession.is_same_person`.
        """
        if not isinstance(id_token, str):
            raise SignInFailed(log_detail="no ID token")
        try:
            claims = await self._verifier.verify(id_token, self._rules)
        except TokenRejected as rejected:
            raise SignInFailed(log_detail=f"ID token: {rejected}") from rejected
        nonce_claim = claims.get("nonce")
        if nonce is not None and not (
            isinstance(nonce_claim, str) and hmac.compare_digest(nonce_claim, nonce)
        ):
            raise SignInFailed(log_detail="ID token: nonce")
        if claims.get("azp") not in (None, self._client_id):
            raise SignInFailed(log_detail="ID token: azp")
        sub, oid = claims["sub"], claims["oid"] if self._tenant_id else claims["sub"]
        if not (isinstance(sub, str) and sub and isinstance(oid, str) and oid):
            raise SignInFailed(log_detail="ID token: empty subject")
        return Person(
            tid=self._tenant_id or self._rules.issuer,
            oid=oid,
            sub=sub,
            name=_text(claims, "name") or _text(claims, "preferred_username"),
            username=_text(claims, "email") or _text(claims, "preferred_username"),
            sid=_text(claims, "sid"),
            login_hint=_text(claims, "login_hint") or _text(claims, "preferred_username"),
            claims=claims,
        )


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
