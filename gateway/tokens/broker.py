"""The token broker: begins authorization code flows, redeems their codes, and hands out access tokens.

Owns when a token comes from its record and when from a silent refresh. What runs of those is in `renewals.py`; the
refresh itself, where MSAL is asked and its answer judged as well, is in `refresh_request.py`.
Never sees a request or a response, and never hands out a refresh token or an ID token.
"""

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from gateway import errors
from gateway.counts import Counts
from gateway.demand import Demand
from gateway.session.sessions import LiveSession, SessionStore
from gateway.tokens.access_token import AccessToken, access_token_of
from gateway.tokens.authorization_extras import NO_EXTRAS, AuthorizationExtras
from gateway.tokens.id_token import IdTokenJudge, Person
from gateway.tokens.refresh import SilentRefresh
from gateway.tokens.refresh_meaning import of_administration
from gateway.tokens.renewals import Renewals
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import REFUSAL_SECONDS, REPLACED, TOKEN
from servicekit.entra import EntraClient, new_token_cache
from servicekit.errors import Misconfigured
from servicekit.problems import ProblemError
from servicekit.reference import request_id_header
from servicekit.refusals import Refusal, RefusalKind, refusal_of
from servicekit.token_threads import SIGN_IN

_FORM_POST: Final = "form_post"
# What MSAL asks for: the hash of its own, in hexadecimal digits.
_NONCE: Final = re.compile(r"[?&]nonce=([0-9a-f]+)")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """Where to send the browser, and what must be remembered to understand its return."""

    authorize_url: str
    msal_flow: dict[str, Any]
    nonce: str
    oldest: int | None = None
    """How old the authentication may be that is answered with, in seconds."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a flow brought: a person, an access token, and MSAL's cache with the rest.

    `granted` are the scopes that its refresh token reaches, where that is known; `id_token` is the ID token as it came,
    where it is kept.
    """

    person: Person
    token: AccessToken
    cache: str
    granted: list[str] | None = None
    id_token: str = ""


class TokenBroker:
    """Speaks to the authority for one app registration.

    `keeps_id_tokens` says that what a flow brought holds the ID token itself.

    `now` is the wall clock in seconds, `jitter` gives numbers from 0 to 1; `redirect_uri` is where the authority sends
    the browser back to.
    """

    def __init__(
        self,
        entra: EntraClient,
        judge: IdTokenJudge,
        sessions: SessionStore,
        *,
        now: Callable[[], float],
        redirect_uri: str,
        response_mode: str,
        extras: AuthorizationExtras = NO_EXTRAS,
        keeps_id_tokens: bool = False,
        counts: Counts | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._entra = entra
        self._judge = judge
        refresh = SilentRefresh(entra, judge, sessions, now=now, counts=counts, jitter=jitter)
        self._renewals = Renewals(refresh, now=now)
        self._now = now
        self._jitter = jitter
        self._redirect_uri = redirect_uri
        self._response_mode = response_mode
        self._extras = extras
        self._keeps_id_tokens = keeps_id_tokens

    async def begin(
        self,
        resource: Resource,
        *,
        state: str,
        prompt: str | None = None,
        login_hint: str | None = None,
        demand: Demand | None = None,
        beside: Iterable[Resource] = (),
    ) -> AuthorizationRequest:
        """Prepare a flow with PKCE, state and nonce for one resource; raises AuthorityUnavailable, Misconfigured.

        `beside` is asked for too where a refresh token reaches no further than what it was granted with (RFC 6749,
        section 6); Entra's reaches every resource, and its token endpoint answers for one only.
        """
        plain = self._entra.is_plain
        if demand is None:
            demand, prompt = Demand(resource.scope), prompt or self._extras.prompt
        parameters = demand.for_other_providers() if plain else demand.for_entra()
        more = (*((one.scope for one in beside) if plain else ()), *self._extras.scopes)
        scopes = list(dict.fromkeys((resource.scope, *more)))

        def work(client: Any) -> dict[str, Any]:
            flow: dict[str, Any] = client.initiate_auth_code_flow(
                scopes,
                redirect_uri=self._redirect_uri,
                state=state,
                prompt=parameters.prompt or prompt,
                login_hint=login_hint,
                response_mode=_FORM_POST,
                claims_challenge=parameters.claims,
            )
            return flow

        try:
            flow = await self._entra.prepare(work)
        except ValueError as error:
            # MSAL: metadata that names another issuer or a plain http endpoint, or a scope that it keeps for itself.
            raise Misconfigured(log_detail="MSAL refuses the authority's metadata, or our scope") from error
        url = flow.pop("auth_uri")
        # MSAL warns on the console of every other mode, at every use; this one was chosen.
        url = url.replace(f"response_mode={_FORM_POST}", f"response_mode={self._response_mode}")
        nonce = _NONCE.findall(url)[0]
        # By which Entra's own log names the sign-in; others would have to ignore it (RFC 6749, section 3.1).
        label = {} if plain else request_id_header()
        for query in filter(None, (urlencode(parameters.extra), urlencode(label), self._extras.query)):
            url += f"&{query}"
        return AuthorizationRequest(url, flow, nonce, parameters.oldest)

    async def redeem(
        self, flow: dict[str, Any], nonce: str, answer: dict[str, str], *, who: object = None
    ) -> Redeemed:
        """Redeem the authorization answer into an empty cache, and judge the ID token; a 429 is about `who`.

        Nothing is kept unless everything is right: MSAL fills its cache before it checks the nonce.
        Raises AuthFlowRejected, AccessBlocked, Misconfigured, Overloaded or AuthorityUnavailable.
        """
        cache, asked_at = await new_token_cache(), self._now()
        flow = dict(flow)  # MSAL takes the claims out of it

        def work(client: Any) -> dict[str, Any]:
            tokens: dict[str, Any] = client.acquire_token_by_auth_code_flow(flow, answer)
            return tokens

        try:
            tokens = await self._entra.call(work, cache, purpose=SIGN_IN, who=who)
        except ProblemError:
            raise
        except Exception as error:
            # MSAL: ValueError for state, RuntimeError for the nonce, and whatever a broken ID token provokes.
            # Their texts hold state, nonces and claims; only the kind may be told.
            raise errors.SignInFailed(log_detail=f"MSAL raised {type(error).__name__}") from error
        refusal = refusal_of(tokens)
        if refusal is not None:
            raise _of_redemption(refusal)
        person = await self._judge.person(tokens.get("id_token"), nonce=nonce)
        token = access_token_of(tokens, asked_at=asked_at, jitter=self._jitter())
        id_token = str(tokens["id_token"]) if self._keeps_id_tokens else ""
        return Redeemed(person, token, cache.serialize(), self._granted(tokens, flow), id_token)

    def _granted(self, tokens: dict[str, Any], flow: dict[str, Any]) -> list[str] | None:
        """Return the scopes that were granted, where the answer says so (RFC 6749, section 5.1); Entra's say less.

        What was asked for counts as granted: some providers call it by another name in their answer.
        """
        said = tokens.get("scope")
        if not self._entra.is_plain or not isinstance(said, str):
            return None
        return sorted({*said.split(), *flow.get("scope", [])})

    async def access_token(self, session: LiveSession, resource: Resource) -> AccessToken:
        """Return an access token for `resource`.

        In the last part of its life it is renewed beside its use: whoever has one that lives waits for nobody, and
        a renewal that fails is nothing to them. Only a token that has ended lets its request wait.
        Raises StepUpRequired, SignInRequired (the grant is dead; the session is ended), AccessBlocked,
        Misconfigured, AuthorityUnavailable, Overloaded (our own threads are taken; nobody was asked).
        """
        token, now = await session.records.get(TOKEN, resource.key), self._now()
        if token is None or not token.is_alive(now):
            return await self._renewals.wait(session, resource)
        if not token.is_fresh(now):
            self._renewals.start_beside(session, resource, token)
        return token

    async def replacement(
        self, session: LiveSession, resource: Resource, refused: AccessToken
    ) -> AccessToken | None:
        """Return a token in place of one that `resource` has refused; None where that one took a refused one's place.

        A resource that refuses every token costs one token request in ten seconds (or in half a token's life), not one
        for each call; a burst that is refused together is given one token. Raises as `access_token` does.
        """
        name = resource.key
        await session.records.refresh([TOKEN.field(name), REPLACED.field(name)])
        kept = await session.records.get(TOKEN, name)
        if kept and kept.value == refused.value:
            if await session.records.get(REPLACED, name):
                return None
            half = (kept.expires_at - (kept.issued_at or 0)) / 2
            mark = REPLACED.entry(1, self._now() + min(REFUSAL_SECONDS, half), name)
            await session.records.put({TOKEN.field(name): None, **mark})
        return await self.access_token(session, resource)

    async def forget_token(self, session: LiveSession, resource: Resource) -> None:
        """Drop the kept access token: the resource wants a stronger one."""
        await session.records.remove(TOKEN.field(resource.key))

    async def settle(self, seconds: float) -> None:
        """Let token requests that are under way end, and what they bring be kept, for at most `seconds`."""
        await self._renewals.settle(seconds)


def _of_redemption(refusal: Refusal) -> ProblemError:
    if refusal.kind is RefusalKind.GRANT_DEAD:
        return errors.SignInExpired(log_detail=str(refusal))
    if refusal.kind is RefusalKind.INTERACTION:
        return errors.SignInFailed(log_detail=str(refusal))
    return of_administration(refusal)
