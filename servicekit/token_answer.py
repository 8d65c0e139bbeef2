"""What a token answer says beside its tokens.

Owns reading a token's life (RFC 6749, section 5.1).
Never looks into a token, and never decides what a service does about an answer.
"""

from typing import Final

LONGEST_LIFE: Final = 604_800
"""No session lives longer (s)."""


def lifetime(expires_in: object) -> int | None:
    """Return a life in whole seconds: a number, or text of one, as some authorities send; None where it is unknown.

    What says nothing (absent, not above zero, no number) is unknown; whatever is longer than a session counts as that.
    Raises ValueError for other text.
    """
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return None
    seconds = float(expires_in) if isinstance(expires_in, str) else expires_in
    return max(1, int(min(seconds, LONGEST_LIFE))) if seconds > 0 else None
