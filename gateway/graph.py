"""Reads the person's profile from Microsoft Graph.

Owns the one request, and what each of its answers means for us.
Never writes: only the resource API holds a token that may.
"""

import uuid
from typing import Final

from gateway import errors
from gateway.profile import MEMBERS, Profile, profile_of
from gateway.sessions import LiveSession
from gateway.token_records import AccessToken, Resource
from gateway.tokens import TokenBroker
from servicekit.challenges import parse_bearer_challenges
from servicekit.outbound import Outbound, OutboundError, Reply

_SELECT: Final = ",".join(MEMBERS)
_UNAUTHORIZED: Final = 401
_OK: Final = 200


class ProfileReader:
    """Reads `GET {graph}/me`; `url` is Graph's address with version (`https://graph.microsoft.com/v1.0`)."""

    def __init__(self, outbound: Outbound, tokens: TokenBroker, *, url: str, resource: Resource) -> None:
        self._outbound = outbound
        self._tokens = tokens
        self._url = f"{url.rstrip('/')}/me"
        self._resource = resource

    async def read(self, session: LiveSession) -> Profile:
        """Return the profile of the session's person.

        Raises ResourceUnavailable, Misconfigured, StepUpRequired (Graph asks for claims), and what
        `TokenBroker.access_token` raises.
        """
        reply = await self._get(await self._tokens.access_token(session, self._resource))
        if reply.status == _UNAUTHORIZED:
            await self._tokens.forget_token(session, self._resource)
            for challenge in parse_bearer_challenges(reply.headers.getall("WWW-Authenticate", [])):
                if challenge.claims:
                    raise errors.StepUpRequired(
                        scope=self._resource.scope, claims=challenge.claims, cause="Graph asks for claims"
                    )
            reply = await self._get(await self._tokens.access_token(session, self._resource))
        return self._judge(reply, session)

    async def _get(self, token: AccessToken) -> Reply:
        headers = {
            "Authorization": f"Bearer {token.value}",
            "Accept": "application/json",
            "client-request-id": str(uuid.uuid4()),
        }
        try:
            return await self._outbound.send("GET", self._url, headers=headers, params={"$select": _SELECT})
        except OutboundError as error:
            raise errors.ResourceUnavailable(f"Graph: {error.reason}") from error

    def _judge(self, reply: Reply, session: LiveSession) -> Profile:
        told = f"Graph answered {reply.status}, request-id {reply.headers.get('request-id', 'none')[:40]}"
        if reply.status in {400, 403}:
            raise errors.Misconfigured(log_detail=f"{told}: is the delegated permission User.Read granted?")
        if reply.status != _OK:
            raise errors.ResourceUnavailable(told, retry_after=reply.retry_after)
        try:
            profile = profile_of(reply.json())
        except ValueError as error:
            raise errors.ResourceUnavailable(f"{told}, but no profile") from error
        if profile["id"] != session.user.oid:
            raise errors.ResourceUnavailable(f"{told}, but another person's profile")
        return profile
