"""Faults on order: what an administrator set to go wrong, and where. Strikes; never decides when to.

A fault is set for a *point* (an endpoint, or a grant of the token endpoint) and strikes until it is used up.
"""

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from local_tenant.aadsts import CATALOGUE
from local_tenant.refusals import AadstsRefusal, refusal

Point = Literal[
    "discovery",
    "keys",
    "authorize",
    "logout",
    "token.authorization_code",
    "token.refresh_token",
    "token.client_credentials",
    "token.on_behalf_of",
    "token.other",
    "authority.other",
    "graph.get_me",
    "graph.patch_me",
    "graph.userinfo",
    "graph.other",
]
POINTS: Final[tuple[Point, ...]] = get_args(Point)


GRAPH_POINTS: Final = frozenset(point for point in POINTS if point.startswith("graph."))


class Fault(BaseModel):
    """What goes wrong. ``status`` 200 means: answer normally, but with the delay and the ``Retry-After``."""

    model_config = ConfigDict(extra="forbid")

    status: int | None = Field(default=None, ge=200, le=599)
    aadsts: int | None = None
    retry_after: int | None = Field(default=None, ge=0)
    body: Literal["json", "html", "reset", "empty"] | None = None
    delay_ms: int = Field(default=0, ge=0, le=120_000)
    times: int | None = Field(default=None, ge=1)
    """How often it strikes; without it, until it is cleared."""
    after: bool = False
    """Whether the work is done first, before the delay, so that only its answer is late or lost."""
    claims: str | None = None
    """A claims challenge to go with ``aadsts``."""

    @field_validator("aadsts")
    @classmethod
    def _in_the_catalogue(cls, number: int | None) -> int | None:
        if number is not None and number not in CATALOGUE:
            raise ValueError(f"AADSTS{number} is not in the catalogue: {sorted(CATALOGUE)}")
        return number

    def misplaced_at(self, point: str) -> str:
        """Return why this fault can't strike at ``point``; nothing where it can."""
        if point in GRAPH_POINTS:
            return "Graph knows no AADSTS: say the status." if self.aadsts and not self.status else ""
        return "claims go with an aadsts." if self.claims and not self.aadsts else ""

    @property
    def answers_normally(self) -> bool:
        """Tell whether the real answer follows after the delay."""
        only_delay = self.status is None and self.aadsts is None and self.body is None
        return only_delay or (self.status is not None and self.status < 300 and self.body is None)  # noqa: PLR2004

    @property
    def refusal(self) -> AadstsRefusal | None:
        """Return the refusal from the catalogue, if the fault names one."""
        return refusal(self.aadsts, claims=self.claims) if self.aadsts else None


@dataclass(slots=True)
class Faults:
    """The faults that are set, by point."""

    standing: dict[str, Fault] = field(default_factory=dict)

    def take(self, point: str) -> Fault | None:
        """Return the fault that strikes now, and count it."""
        fault = self.standing.get(point)
        if fault and fault.times is not None:
            fault.times -= 1
            if not fault.times:
                del self.standing[point]
        return fault
