"""The ID token: whether it is ours, fresh and meant for this flow, and who it is about.

Owns which checks of `servicekit.jwt_claims` an ID token is judged by (OpenID Connect Core, section 3.1.3.7), because
MSAL since 1.38 checks nothing but the nonce, and that only where an ID token is present.
Never looks at access tokens: what they allow is the resource's business.

At a refresh a token only shows that it is still the same person (section 12.2); its times are not asked for there, and
docs/explanation/decisions/2026-11-26-refreshed-id-tokens.md says why that weakens nothing.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.errors import SignInFailed
from servicekit.claim_forms import is_name, shown_text, time_of
from servicekit.errors import Misconfigured
from servicekit.jwt_claims import LEEWAY_SECONDS, LONGEST_SID, check_claims, checks_named
from servicekit.jwt_form import ALGORITHM, NOT_YET_VALID
from servicekit.jwt_verifier import ClaimRules, JwtVerifier, TokenRejected

_FOR_US: Final = ("audience", "authorized party named", "authorized party")
_IN_TIME: Final = ("expiry", "issued at", "not before")
_OF_ENTRA: Final = ("tenant", "version", "object id")
_CHECKS: Final = checks_named("issuer", *_FOR_US, *_IN_TIME, "nonce", "subject")
_ENTRA_CHECKS: Final = checks_named(*(check.name for check in _CHECKS), *_OF_ENTRA)


@dataclass(frozen=True, slots=True)
class Person:
    """Who the ID token is about; `tid` and `oid` together name them for good, e-mail addresses do not."""

    tid: str
    oid: str
    sub: str
    name: str
    username: str
    sid: str
    claims: dict[str, Any]


class AnotherPerson(Exception):
    """The authority has signed that a refreshed token is about another person, or of another issuer."""


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
        """Return whom the token is about; `nonce` is what the flow sent.

        Raises SignInFailed when anything is wrong, AuthorityUnavailable when there are no keys to judge with, and
        Misconfigured when there are none that we accept, or clocks differ too much.
        Not checked here: whether the person is the one expected; see `UserSession.is_same_person`.
        """
        claims = await self._believed(id_token, replace(self._rules, nonce=nonce))
        self._verifier.compare_clocks(claims)
        sub = claims["sub"]
        return Person(
            tid=self._tenant_id or self._rules.issuer,
            oid=claims["oid"] if self._tenant_id else sub,
            sub=sub,
            name=_shown(claims, "name", "preferred_username"),
            username=_shown(claims, "email", "preferred_username"),
            sid=_sid(claims),
            claims=claims,
        )

    async def check_renewed(self, id_token: object, *, tid: str, oid: str, sub: str) -> None:
        """Judge the ID token that came with a refresh: whether it is still this person's (section 12.2), and for us.

        Raises AnotherPerson where the authority has signed that it is not, and as `person` does.
        Not checked here: a nonce, and what o'clock it is by its times. Where clocks differ, that is told.
        """
        claims = await self._believed(id_token, replace(self._rules, checks=()))
        self._verifier.compare_clocks(claims)
        known = {"iss": self._rules.issuer, "sub": sub}
        if self._tenant_id:
            known |= {"tid": tid, "oid": oid}
        if others := sorted(name for name, value in known.items() if _text(claims, name) not in {"", value}):
            raise AnotherPerson(", ".join(others))
        checks = tuple(check for check in self._rules.checks if check.name not in {*_IN_TIME, "nonce"})
        try:
            for name in ("exp", "iat"):
                time_of(claims, name)
            check_claims(claims, replace(self._rules, checks=checks), 0)
        except TokenRejected as rejected:
            raise SignInFailed(log_detail=f"ID token: {rejected}") from rejected

    async def _believed(self, id_token: object, rules: ClaimRules) -> dict[str, Any]:
        if not isinstance(id_token, str):
            raise SignInFailed(log_detail="no ID token")
        try:
            return await self._verifier.verify(id_token, rules)
        except TokenRejected as rejected:
            if rejected.is_of_the_clock:
                raise Misconfigured(log_detail=_clocks_differ(rejected, rules.leeway_seconds)) from rejected
            if rejected.code == ALGORITHM:
                # It comes straight from the authority, which may sign by nothing that we could ever accept.
                rejected.keys_may_be_old = not await self._verifier.check_keys()
            raise SignInFailed(log_detail=f"ID token: {rejected}") from rejected


def _clocks_differ(rejected: TokenRejected, leeway: int) -> str:
    lies = "lies ahead" if rejected.code == NOT_YET_VALID else "was over"
    return (
        f"clocks differ: `{rejected.claim}` of an ID token that came just now {lies} by {round(rejected.seconds)} s, by"
        f" this machine's clock, and GATEWAY_CLOCK_LEEWAY_SECONDS forgives {leeway} s; set the clock by NTP"
    )


def _text(claims: dict[str, Any], name: str) -> str:
    """Return what is compared where it is text; in any other form it is as if it were not there."""
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _shown(claims: dict[str, Any], *names: str) -> str:
    """Return the first of these claims that there is something to see of."""
    return next(filter(None, (shown_text(claims.get(name)) for name in names)), "")


def _sid(claims: dict[str, Any]) -> str:
    """Return the authority's name of its session; one that is no name is as if it were not there: nobody needs it."""
    sid = _text(claims, "sid")
    return sid if is_name(sid, longest=LONGEST_SID) else ""
