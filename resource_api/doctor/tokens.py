"""The doctor's look at the tokens that the authority issues for this API: whose they say they are.

Owns one client credentials request of the API for itself, and the comparison of what comes back with what callers'
tokens are judged by. A registration whose `requestedAccessTokenVersion` was left alone issues version 1, with another
issuer and audience: every call is refused then, and nothing else shows it beforehand.
Never shows a token, and checks no signature: it came straight from the token endpoint.
"""

from collections.abc import Mapping
from typing import Any, Final

from resource_api.doctor.wording import WORDING
from resource_api.settings import Settings
from servicekit.discovery import Discovery
from servicekit.doctor.credential import ask_for_itself
from servicekit.doctor.explanations import Explanation, explained, named
from servicekit.doctor.findings import Finding, fault, ok, plain_reason, warning
from servicekit.doctor.unverified import claims_unverified
from servicekit.errors import AuthorityUnavailable
from servicekit.outbound import Outbound
from servicekit.refusals import refusal_of

TOKENS: Final = "access tokens"

_SHOWN: Final = 200
# Which of the claims that callers' tokens are judged by an application's own token has as well.
_COMPARED: Final = ("iss", "aud", "tid", "ver")


def own_scope(settings: Settings) -> str:
    """Return all that this API offers, as Entra names it where the Application ID URI is the one that it proposes."""
    return f"api://{settings.client_id}/.default"


async def look_at_tokens(http: Outbound, settings: Settings) -> Finding:
    """Have a token issued for this API, and compare what it says with what callers' tokens must say."""
    discovery = Discovery(http, url=settings.discovery_url, issuer=settings.issuer)
    try:
        answer = await ask_for_itself(settings, discovery, scope=own_scope(settings))
    except AuthorityUnavailable as error:
        return warning(
            TOKENS,
            f"the token endpoint gives no usable answer: {plain_reason(error, error.reason)}",
            "Wait, and look again.",
        )
    if refused := refusal_of(answer):
        explanation = explained(
            refused.codes,
            Explanation("the authority issues none to the API itself", WORDING.scope),
            WORDING,
        )
        return warning(
            TOKENS, f"not seen: {explanation.cause}; {refused.error}{named(refused.codes)}", explanation.fix
        )
    claims = claims_unverified(str(answer["access_token"]))
    if claims is None:
        return warning(
            TOKENS, "not seen: what was issued is no JWT", "Nothing, where calls of the gateway are taken."
        )
    return _judge(settings, claims)


def _judge(settings: Settings, claims: Mapping[str, Any]) -> Finding:
    expected = {
        "iss": settings.issuer,
        "aud": settings.audience or settings.client_id,
        "tid": settings.tenant_id,
        "ver": "2.0" if settings.tenant_id else None,
    }
    wrong = [name for name in _COMPARED if expected[name] is not None and claims.get(name) != expected[name]]
    if not wrong:
        return ok(TOKENS, f"those for this API name {settings.issuer} and this API")
    named_here = ", ".join(f"{name} {str(claims.get(name))[:_SHOWN]!r}" for name in wrong)
    wanted = ", ".join(f"{name} {expected[name]!r}" for name in wrong)
    return fault(
        TOKENS,
        f"those for this API say {named_here}, and only {wanted} is believed",
        "App registrations > (the API's) > Manifest: set requestedAccessTokenVersion (in the older form "
        "accessTokenAcceptedVersion) to 2; then compare RESOURCE_API_CLIENT_ID and RESOURCE_API_TENANT_ID.",
    )
