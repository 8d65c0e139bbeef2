"""What an entry of the trail tells: one fact, by our name for it and by the field's.

Owns the form of a fact and the words for how one ended.
Never knows which facts there are: each service has its own table.

Source: OWASP, Application Logging Vocabulary Cheat Sheet.
"""

from dataclasses import dataclass
from typing import Final, Literal

from servicekit.problems import ProblemError

Outcome = Literal["success", "refused", "failed", "unknown"]
SUCCESS: Final = "success"
REFUSED: Final = "refused"
"""By a rule, or by the person, who cancelled."""
FAILED: Final = "failed"
"""By a fault of ours or of somebody behind us; nothing was changed."""
UNKNOWN: Final = "unknown"
"""Nobody can tell."""
_OUR_FAULTS: Final = 500


@dataclass(frozen=True, slots=True)
class Fact:
    """One kind of fact: `name` is ours and tells them apart, `event` is OWASP's word, which several share.

    `failing` is OWASP's word for the same without success, where that is another. What `is_shown` the person sees.
    What `is_common` somebody signed in can cause without end, and is counted as what strangers do.
    """

    name: str
    event: str
    failing: str = ""
    is_shown: bool = False
    is_common: bool = False

    def event_of(self, outcome: object) -> str:
        """Return OWASP's word for a fact that ended so."""
        return self.failing if self.failing and outcome not in {SUCCESS, None} else self.event


def outcome_of(problem: ProblemError) -> Outcome:
    """Return how what met a problem ended."""
    if problem.members.get("outcome") == UNKNOWN:
        return UNKNOWN
    return FAILED if problem.status >= _OUR_FAULTS else REFUSED
