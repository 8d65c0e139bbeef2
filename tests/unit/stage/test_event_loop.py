"""The watch over the event loop sees what it should: our code on the stack, in the loop's thread, and no more."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stage.event_loop import BlockingError
from tests.stage.sources import ROOT

PLANTED = {
    "sleep": "import time\ndef act(path): time.sleep(0)",
    "a file": "def act(path):\n with open(path) as file: file.read()",
    "a stat": "import os\ndef act(path): os.stat(path)",
    "a name": "import socket\ndef act(path): socket.getaddrinfo('localhost', 1)",
    "certificates": "import ssl\ndef act(path): ssl.create_default_context()",
    "a lock": "import threading\nheld = threading.Lock()\nheld.acquire()\ndef act(path): held.acquire(timeout=0.01)",
}


def planted(what: str, place: str) -> Callable[[Path], object]:
    """Return code that blocks, as if it lay at `place`."""
    names: dict[str, Callable[[Path], object]] = {}
    exec(compile(PLANTED[what], ROOT / place, "exec"), names)  # noqa: S102 - written above
    return names["act"]


@pytest.mark.parametrize("what", PLANTED)
@pytest.mark.parametrize("place", ["gateway/odd.py", "servicekit/odd.py", "resource_api/odd.py"])
async def test_R26_what_blocks_is_an_error_where_it_is_made(what: str, place: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    await asyncio.to_thread(file.write_text, "text")
    act = planted(what, place)

    with pytest.raises(BlockingError):
        act(file)
    await asyncio.to_thread(act, file)
    planted(what, "tests/odd.py")(file)


async def test_R26_code_of_others_may_block() -> None:
    time.sleep(0)  # noqa: ASYNC251 - what is tested
