"""The one command: `python3 dev.py` starts Stepup on this computer, `python3 dev.py test` checks it.

This file only makes sure that the Python is new enough to read the rest, so it keeps to syntax that every Python
understands. Everything else is in devstack/; docs/explanation/decisions/2026-11-21-devstack-package.md says why.
"""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- this sentence is for people who have an older Python
    sys.exit("Stepup needs Python 3.11 or newer; this is Python " + sys.version.split()[0] + ".")
if os.name != "posix":
    sys.exit("dev.py runs on Linux and macOS; on Windows, run it inside WSL or use `docker compose up`.")

try:
    from devstack.command import main
except KeyboardInterrupt:
    sys.stderr.write("Interrupted. Nothing was started.\n")
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
