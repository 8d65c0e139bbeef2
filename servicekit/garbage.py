"""How often Python looks for garbage that refers to itself.

Owns the thresholds of a process that serves. What most requests leave behind is freed by its count of references and
waits for no collection; Python's own thresholds have every few requests pay for a walk over all that is alive, which
with thousands of connections is a fifth of the computing time. Looks are small all the same, ten thousand new objects
as a rule: they are walked over in one piece, and everybody waits for that.
Never switches the collection off: exceptions and tasks do leave cycles.
"""

import gc
from typing import Final

_NEW_OBJECTS: Final = 5_000
_YOUNG_COLLECTIONS: Final = 1
_MIDDLE_COLLECTIONS: Final = 400


def collect_seldom() -> None:
    """Leave what was made at start alone from now on, and look for garbage less often; call it before serving."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_COLLECTIONS, _MIDDLE_COLLECTIONS)
