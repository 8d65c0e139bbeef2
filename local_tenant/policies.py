"""Conditional Access: whether a person may have a token for a resource, given what they have proven.

Decides; never shows a page and never issues a token. A policy protects a resource application as a whole,
not one of its scopes. Source: Entra, Conditional Access for external tenants.
"""

import json
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from local_tenant.directory import Person
from local_tenant.json_text import read_json
from local_tenant.refusals import AadstsRefusal, refusal


class ConditionalAccessPolicy(BaseModel):
    """One policy; ``target`` is a resource's application id, or an authentication context such as ``c1``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    target: str
    mfa: bool = False
    blocked: bool = False
    claims: bool = True
    """Whether a refusal carries a claims challenge; both forms are seen in the wild."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a person has proven, and when; it travels from the session to the code, the refresh token, the assertion."""

    auth_time: float
    mfa_time: float | None = None

    @property
    def mfa(self) -> bool:
        """Tell whether a second factor was given."""
        return self.mfa_time is not None


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """The part of the ``claims`` parameter that policies look at (OpenID Connect Core 5.5, Entra's members)."""

    policies: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    client_capabilities: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str | None) -> "ClaimsRequest":
        """Read the parameter; unknown members are ignored, text that isn't a JSON object is refused (9002313)."""
        if not text:
            return cls()
        try:
            members = read_json(text)
        except ValueError:
            raise refusal(9002313) from None
        claims = members.get("access_token") if isinstance(members, dict) else None
        if not isinstance(members, dict) or not isinstance(claims, dict | None):
            raise refusal(9002313)
        claims = claims or {}
        return cls(
            policies=_values(claims.get("capolids")) + _values(claims.get("polids")),
            contexts=_values(claims.get("acrs")),
            client_capabilities=_values(claims.get("xms_cc")),
        )


def _values(member: object) -> tuple[str, ...]:
    if not isinstance(member, dict):
        return ()
    listed = member.get("values", [member.get("value")])
    return tuple(value for value in listed if isinstance(value, str)) if isinstance(listed, list) else ()


@dataclass(slots=True)
class Policies:
    """The tenant's policies, by target."""

    by_target: dict[str, ConditionalAccessPolicy] = field(default_factory=dict)

    def unmet(
        self, resources: tuple[str, ...], claims_request: ClaimsRequest, person: Person, proof: Proof
    ) -> AadstsRefusal | None:
        """Return why the first policy that isn't met isn't; None when all are."""
        for policy in self._concerned(resources, claims_request):
            if policy.blocked:
                return refusal(53003)
            if policy.mfa and not proof.mfa:
                number = 50076 if person.second_factor == "email" else 50079
                return refusal(number, claims=_challenge(policy), resource=policy.target)
        return None

    def contexts_met(self, claims_request: ClaimsRequest) -> tuple[str, ...]:
        """Return the authentication contexts that go into ``acrs``: asked for, and known.

        Not checked here: whether they are met, see ``unmet``, which looks at the contexts that were asked for too.
        """
        return tuple(name for name in claims_request.contexts if name in self.by_target)

    def _concerned(
        self, resources: tuple[str, ...], claims_request: ClaimsRequest
    ) -> list[ConditionalAccessPolicy]:
        targets = {name.casefold() for name in (*resources, *claims_request.contexts)}
        return [
            policy
            for policy in self.by_target.values()
            if policy.target.casefold() in targets or policy.id in claims_request.policies
        ]


def _challenge(policy: ConditionalAccessPolicy) -> str | None:
    if not policy.claims:
        return None
    members = {"capolids": {"essential": True, "values": [policy.id]}}
    return json.dumps({"access_token": members}, separators=(",", ":"))
