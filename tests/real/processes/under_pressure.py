"""A service as a process that is short of something: of somebody who reads its log, of descriptors."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.unit.gateway.test_settings import COMPLETE
from tests.unit.resource_api.test_settings import GOOD

ROOT: Final = Path(__file__).parents[3]
# With nobody around them: no Redis, no authority.
NOBODY: Final = "http://127.0.0.1:9"
# Nobody balances, and so nobody has to be told of an end before it comes.
AT_ONCE: Final = {"GATEWAY_SHUTDOWN_DELAY_SECONDS": "0", "RESOURCE_API_SHUTDOWN_DELAY_SECONDS": "0"}
SETTINGS: Final = {
    "gateway": {**COMPLETE, "GATEWAY_AUTHORITY_MAP": NOBODY, **AT_ONCE},
    "resource_api": {**GOOD, "RESOURCE_API_AUTHORITY_MAP": NOBODY, **AT_ONCE},
}


@contextmanager
def pressed(
    service: str, place: Path, *, stderr: int, descriptors: int = 0, **given: str
) -> Iterator["tuple[subprocess.Popen[bytes], int]"]:
    """Run `service` in the folder `place`; give the process and its port once it answers.

    `descriptors` is how many it may have open at most.
    """
    port = free_port()
    own = {name: text for name, text in os.environ.items() if name == "PYTHONPYCACHEPREFIX"}
    command = [sys.executable, "-m", service]
    if descriptors:
        command = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh", *command]
    with subprocess.Popen(
        command,
        cwd=place,
        env={
            "PYTHONPATH": str(ROOT),
            "PATH": os.defpath,
            **own,
            **SETTINGS[service],
            f"{service.upper()}_PORT": str(port),
            **given,
        },
        stdout=subprocess.DEVNULL,
        stderr=stderr,
    ) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while status_of(port) != 200:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield process, port
        finally:
            process.kill()


def status_of(port: int, path: str = "/health/live", *, seconds: float = PATIENCE) -> int:
    """Return the status of the answer, or 0 where there is none within `seconds`."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=seconds) as response:
            status: int = response.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0
