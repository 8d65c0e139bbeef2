"""Python looks for garbage seldom in a process that serves, and still does."""

import subprocess
import sys

from tests.stage.sources import ROOT

PROGRAM = """
import gc, weakref
from servicekit.garbage import collect_seldom

class Knot: pass

before = gc.get_threshold()
collect_seldom()
assert gc.isenabled() and gc.get_freeze_count() > 1000
new, young, middle = gc.get_threshold()
assert new > before[0], "few requests leave so much behind at once"
assert new * (young + 1) <= 10_000, "everybody waits for a walk over what is young"
assert new * (young + 1) * middle > 1_000_000, "a walk over all that is alive is dear"
knot = Knot()
knot.itself = knot
gone = weakref.ref(knot)
del knot
kept = [[] for _ in range(2 * gc.get_threshold()[0])]
assert gone() is None
"""


def test_L1_garbage_is_looked_for_seldom_and_still_found() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
