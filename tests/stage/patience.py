"""How long a test waits for what has to come.

One value for all that is waited for and never measured: nothing waits so long unless something is wrong, and a computer
that is busy with other tests makes none of them fail. Where the time itself is what a test is about, the test names it.
"""

from typing import Final

# In seconds; below what one test may take at all (`faulthandler_timeout`).
PATIENCE: Final = 120
