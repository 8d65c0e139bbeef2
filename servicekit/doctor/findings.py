"""What the doctor says: one finding for each check.

Owns the form of a finding, the time that one check may take, and the plain words for a connection that fails.
Never looks at anything itself, and never writes down the text of an error: it may quote what is secret.
"""

import asyncio
import enum
import socket
import ssl
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final

from servicekit.tls_refusal import causes, certificate_refusal

CHECK_SECONDS: Final = 10


class Status(enum.Enum):
    """How it is."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw: `detail` is what was looked at and how it is, `fix` what would help."""

    check: str
    status: Status
    detail: str
    fix: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """Return the finding for programs."""
        return {"check": self.check, "status": self.status.value, "detail": self.detail, "fix": self.fix}


def ok(check: str, detail: str) -> Finding:
    """Return that all is well."""
    return Finding(check, Status.OK, detail)


def warning(check: str, detail: str, fix: str) -> Finding:
    """Return what somebody should know, and what to do where it matters."""
    return Finding(check, Status.WARNING, detail, fix)


def fault(check: str, detail: str, fix: str) -> Finding:
    """Return what keeps the service from working, and what to do."""
    return Finding(check, Status.FAULT, detail, fix)


def not_looked_at(check: str, first: str) -> Finding:
    """Return that a check had nothing to stand on; `first` is the check that failed before it."""
    return warning(check, f"not looked at, because of: {first}", f"Mend {first!r} first, and look again.")


async def within_time(check: str, look: Awaitable[Finding]) -> Finding:
    """Return what `look` finds, or a fault after ten seconds, and also when the check itself fails."""

    async def only() -> list[Finding]:
        return [await look]

    (finding,) = await all_within_time([check], only())
    return finding


async def all_within_time(
    checks: Sequence[str], look: Awaitable[list[Finding]], *, seconds: float = CHECK_SECONDS
) -> list[Finding]:
    """Return what `look` finds for several checks; of a look that fails, the first is at fault."""
    first, *others = checks
    try:
        async with asyncio.timeout(seconds):
            return await look
    except TimeoutError:
        failed = fault(
            first,
            f"no answer within {seconds:.0f} seconds",
            "Look whether a firewall or a proxy holds the connection back.",
        )
    except Exception as error:  # noqa: BLE001 - one look that breaks must not take the others' findings with it
        failed = fault(
            first,
            f"the check itself failed ({type(error).__name__})",
            "Start the service itself, and read its log.",
        )
    return [failed, *(not_looked_at(other, first) for other in others)]


# Of what lies behind an error, the first that is named here.
_WORDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (ssl.SSLError, "TLS is not spoken there, or not in a way that we speak"),
    (socket.gaierror, "its name cannot be resolved"),
    (ConnectionRefusedError, "nobody listens there"),
    (TimeoutError, "it does not answer in time"),
)


def plain_reason(error: BaseException, otherwise: str) -> str:
    """Say why a connection failed, by what caused the error; `otherwise` where that is nothing we have words for."""
    if refused := certificate_refusal(error):
        return f"its certificate is not trusted: {refused}"
    for cause in causes(error):
        for kind, words in _WORDS:
            if isinstance(cause, kind):
                return words
    return otherwise
