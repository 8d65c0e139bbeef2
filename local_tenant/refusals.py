"""A refusal of the authority, on its way from where it is decided to where it is answered.

Whether it becomes JSON, a page or a redirect is the endpoint's business; which refusals there are is in ``aadsts``.
"""

from dataclasses import dataclass, field

from local_tenant.aadsts import CATALOGUE, Aadsts
from local_tenant.clock import entra_timestamp


class _Blanks(dict[str, str]):
    """Leave nothing in braces when a refusal is produced without its particulars (fault injection)."""

    def __missing__(self, key: str) -> str:
        return "unknown"


@dataclass(eq=False)
class AadstsRefusal(Exception):
    """The authority says no. Raised anywhere below the handlers, answered once in each endpoint.

    ``claims`` is JSON text: Entra sends the claims challenge as a string inside its JSON.
    """

    number: int
    particulars: dict[str, str] = field(default_factory=dict)
    claims: str | None = None

    @property
    def row(self) -> Aadsts:
        """Return the catalogue's row."""
        return CATALOGUE[self.number]

    @property
    def text(self) -> str:
        """Return the sentence with its particulars, without trace and correlation."""
        return f"AADSTS{self.number}: {self.row.text.format_map(_Blanks(self.particulars))}"

    def description(self, trace_id: str, correlation_id: str, now: float) -> str:
        """Return ``error_description`` as newer answers write it, on one line."""
        return (
            f"{self.text} Trace ID: {trace_id} Correlation ID: {correlation_id} "
            f"Timestamp: {entra_timestamp(now)}"
        )

    def as_json(self, trace_id: str, correlation_id: str, now: float) -> dict[str, object]:
        """Return the token endpoint's error body."""
        body: dict[str, object] = {
            "error": self.row.error,
            "error_description": self.description(trace_id, correlation_id, now),
            "error_codes": [self.number],
            "timestamp": entra_timestamp(now),
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        if self.row.suberror:
            body["suberror"] = self.row.suberror
        if self.claims:
            body["claims"] = self.claims
        return body


def refusal(number: int, *, claims: str | None = None, **particulars: str) -> AadstsRefusal:
    """Return a refusal from the catalogue; ``particulars`` fill the blanks in its sentence."""
    return AadstsRefusal(number, particulars, claims)
