"""What was handed out and is it still good: authorization codes and refresh tokens.

Owns single use, expiry, rotation and revocation. Knows nothing of consent, policies or token contents.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from local_tenant.app_registration import Platform
from local_tenant.clock import Clock
from local_tenant.ids import Ids
from local_tenant.knobs import Knobs
from local_tenant.platforms import SPA_REFRESH_SECONDS
from local_tenant.policies import Proof
from local_tenant.refusals import refusal
from local_tenant.scopes import RequestedScope
from local_tenant.sessions import AuthorizeRequest

_ACCESS_TOKENS_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Grant:
    """Who granted what to whom, on what proof: the lineage that every token of a sign-in shares."""

    client_id: str
    oid: str
    sid: str
    proof: Proof
    generation: int
    family: str
    """One family per sign-in; strict rotation revokes all of it at once."""
    platform: Platform = "web"
    """Of the redirect URI that the code went to."""


@dataclass(slots=True)
class Code:
    """An authorization code."""

    request: AuthorizeRequest
    grant: Grant
    expires_at: float
    redeemed: bool = False


@dataclass(slots=True)
class RefreshToken:
    """A refresh token; bound to person and client, not to a resource."""

    grant: Grant
    expires_at: float
    scope: RequestedScope
    """What was granted first; a refresh that says nothing asks for it (RFC 6749, section 6)."""
    used: bool = False


@dataclass(slots=True)
class Ledger:
    """Codes and refresh tokens by value."""

    clock: Clock
    ids: Ids
    knobs: Knobs
    codes: dict[str, Code] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    access_tokens: dict[str, Grant] = field(default_factory=dict)
    dead_families: set[str] = field(default_factory=set)

    def issue_code(self, request: AuthorizeRequest, grant: Grant) -> str:
        """Return a fresh code."""
        code = f"1.{self.ids.opaque(48)}"
        self.codes[code] = Code(request, grant, self.clock() + self.knobs.code_seconds)
        return code

    def look_up_code(self, value: str, client_id: str) -> Code:
        """Return a code that may be redeemed by this client, without redeeming it.

        Raises 9002313 (no such code), 70000 (another client's), 54005 (redeemed), 70008 (expired).
        """
        code = self.codes.get(value)
        if code is None:
            raise refusal(9002313)
        if code.grant.client_id != client_id:
            raise refusal(70000)
        if code.redeemed:
            raise refusal(54005)
        if code.expires_at <= self.clock():
            raise refusal(70008)
        return code

    def issue_refresh_token(self, grant: Grant, scope: RequestedScope, held: RefreshToken | None) -> str:
        """Return a fresh refresh token; ``held`` is the one that it follows.

        A single-page application's ends when its first one does.
        """
        value = f"1.{self.ids.opaque(600)}"  # real ones are long too, and buffers and columns must bear it
        seconds = self.knobs.refresh_token_seconds
        if grant.platform == "spa":
            seconds = min(seconds, SPA_REFRESH_SECONDS)
        expires_at = held.expires_at if held and grant.platform == "spa" else self.clock() + seconds
        self.refresh_tokens[value] = RefreshToken(grant, expires_at, scope)
        return value

    def look_up_refresh_token(self, value: str, client_id: str, *, rotate: bool) -> RefreshToken:
        """Return a refresh token that this client may use.

        With ``rotate`` a second use kills the whole family; without it, as in Entra, a token may be used again.
        Raises 70000 (unknown, or another client's), 700082 and 700084 (too old), 50173 (revoked).
        Not checked here: whether the person's tokens were revoked, see ``grants``.
        """
        token = self.refresh_tokens.get(value)
        if token is None or token.grant.client_id != client_id:
            raise refusal(70000)
        if token.expires_at <= self.clock():
            raise refusal(700084 if token.grant.platform == "spa" else 700082)
        if rotate and token.used:
            self.dead_families.add(token.grant.family)
        if token.grant.family in self.dead_families:
            raise refusal(50173)
        return token

    def note_access_token(self, grant: Grant) -> str:
        """Return the id (``uti``) of a new access token, whose lineage is kept for on-behalf-of."""
        uti = self.ids.opaque(16)
        self.access_tokens[uti] = grant
        while len(self.access_tokens) > _ACCESS_TOKENS_KEPT:
            del self.access_tokens[next(iter(self.access_tokens))]
        return uti

    def behind_access_token(self, uti: str) -> Grant:
        """Return the lineage of an access token. Raises 50013 for one that was forgotten."""
        try:
            return self.access_tokens[uti]
        except KeyError:
            raise refusal(50013) from None

    def grant_for(
        self,
        request: AuthorizeRequest,
        oid: str,
        sid: str,
        proof: Proof,
        *,
        generation: int,
        platform: Platform,
    ) -> Grant:
        """Return the lineage of a new sign-in."""
        family = self.ids.guid()
        return Grant(request.client_id, oid, sid, proof, generation, family, platform)

    def grant_on_behalf(self, grant: Grant, client_id: str) -> Grant:
        """Return the lineage that a middle tier gets from an assertion: same person and proof, another client."""
        return replace(grant, client_id=client_id, family=self.ids.guid(), platform="web")
