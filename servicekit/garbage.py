"""How often Python looks for garbage that refers to itself.

Owns the thresholds of a process that serves. What most requests leave behind is freed by its count of references and
waits for no collection; Python's own thresholds have every few requests pay for a walk over all that is alive, which
with thousands of connections is a fifth of the computing time.
Never switches the collection off: exceptions and tasks do leave cycles.
"""

import gc
from typing import Final

_NEW_OBJECTS: Final = 20_000
_YOUNG_COLLECTIONS: Final = 20
_MIDDLE_COLLECTIONS: Final = 50


def collect_seldom() -> None:
    """Leave what was made at start alone from now on, and look for garbage less often; call it before serving."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_COLLECTIONS, _MIDDLE_COLLECTIONS)
