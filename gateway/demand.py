"""What a person must prove, and how each kind of authority is asked for it.

Owns the translation: Entra understands claims (`acrs`) and `prompt=login`; any other OpenID provider understands
`acr_values` and `max_age` (OpenID Connect Core, section 3.1.2.1), which are also the words of RFC 9470.
Never decides that a proof is needed, and never judges one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from servicekit.challenges import BearerChallenge


@dataclass(frozen=True, slots=True)
class AuthorizationParameters:
    """What an authorization request says of a demand; `extra` are the parameters that MSAL has no argument for.

    `oldest` is how old the authentication may be that is answered with, in seconds; None where that is not asked.
    """

    prompt: str | None = None
    claims: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    oldest: int | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What a step-up must bring: a token for `scope`, by way of what a resource or the authority demanded.

    `claims` is JSON, `acr_values` and `max_age` (seconds) are those of RFC 9470. `fresh` means that the person must be
    asked again, whatever the authority remembers.
    """

    scope: str
    claims: str | None = None
    fresh: bool = False
    acr_values: str | None = None
    max_age: int | None = None

    @classmethod
    def of_challenge(cls, scope: str, challenge: BearerChallenge) -> "Demand":
        """Return what a resource demands with a challenge; one that limits the age wants the person asked again."""
        return cls(
            scope,
            challenge.claims,
            fresh=challenge.max_age is not None,
            acr_values=challenge.acr_values,
            max_age=challenge.max_age,
        )

    def for_entra(self) -> AuthorizationParameters:
        """Return the parameters for Entra: an authentication context is a claim there, and any age means anew.

        MSAL's `max_age` fails without `auth_time`, which Entra sends only if configured to.
        """
        return AuthorizationParameters(
            prompt="login" if self.fresh else None,
            claims=self.claims or (_acrs(self.acr_values) if self.acr_values else None),
            oldest=0 if self.fresh else None,
        )

    def for_other_providers(self) -> AuthorizationParameters:
        """Return the parameters for any other OpenID provider; `max_age` lets it decide whether to ask anew."""
        extra: dict[str, str] = {}
        if self.acr_values:
            extra["acr_values"] = self.acr_values
        if self.max_age is not None:
            extra["max_age"] = str(self.max_age)
            return AuthorizationParameters(claims=self.claims, extra=extra, oldest=self.max_age)
        anew = self.fresh
        return AuthorizationParameters("login" if anew else None, self.claims, extra, 0 if anew else None)


def _acrs(acr_values: str) -> str:
    acrs = {"essential": True, "values": acr_values.split()}
    return json.dumps({"access_token": {"acrs": acrs}}, separators=(",", ":"))
