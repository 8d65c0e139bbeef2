"""What an operator adds to every authorization request, because the authority wants it.

Owns which scopes and parameters go along. Never changes what a flow rests on: the settings' forms refuse such names.

Google gives refresh tokens for `access_type=offline` with `prompt=consent`, Auth0 makes tokens for an `audience`,
Cognito and Keycloak go to another provider by `identity_provider` and `kc_idp_hint`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import parse_qsl, urlencode

# MSAL adds these by itself, and takes them from nobody.
_OF_MSAL: Final = frozenset({"openid", "profile", "offline_access"})


@dataclass(frozen=True, slots=True)
class AuthorizationExtras:
    """Scopes, and parameters as a query, for every request; `prompt` for those that begin a session."""

    scopes: tuple[str, ...] = ()
    query: str = ""
    prompt: str | None = None

    @classmethod
    def of(cls, scopes: Iterable[str], parameters: str, prompt: str | None) -> Self:
        """Return them as the settings have them."""
        own = tuple(scope for scope in scopes if scope not in _OF_MSAL)
        return cls(own, urlencode(parse_qsl(parameters, keep_blank_values=True)), prompt)


NO_EXTRAS: Final = AuthorizationExtras()
