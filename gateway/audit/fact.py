"""What an audit entry tells: one fact, by our name for it and by the field's.

Owns the form of a fact and the words for how one ended.
Never knows which facts there are: each service has its own table.

Source: OWASP, Application Logging Vocabulary Cheat Sheet.
"""

from dataclasses import dataclass
from typing import Final, Literal

Outcome = Literal["success", "refused", "failed", "unknown"]
SUCCESS: Final = "success"
REFUSED: Final = "refused"
"""By a rule, or by the person, who cancelled."""
FAILED: Final = "failed"
"""By a fault of ours or of somebody behind us; nothing was changed."""
UNKNOWN: Final = "unknown"
"""Nobody can tell."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One kind of fact: `name` is ours and tells them apart, `event` is OWASP's word, which several share."""

    name: str
    event: str
