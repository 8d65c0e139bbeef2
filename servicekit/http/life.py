"""Whether a service wants new work: what readiness answers.

Owns the one bit, and where an application keeps it. Never decides when the end begins.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web


@dataclass(slots=True)
class Life:
    """Whether the service wants new work; False once it is told to stop."""

    open_for_work: bool = True

    def stop(self) -> None:
        """Ask for no more work."""
        self.open_for_work = False


LIFE: Final = web.AppKey("life", Life)
