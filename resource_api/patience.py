"""How long one request may work.

Owns the figures. Never waits: the calls do, against the deadline that is handed down to them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take, in seconds.

    `whole` is the most that Graph may cost one request, `call` one call, `pause` the longest wait that Graph may
    ask for between two tries; `settle` is how long to wait before each look at what became of a write.
    """

    whole: float = 18
    call: float = 8
    pause: float = 5
    settle: tuple[float, ...] = (0.5, 1.5)
