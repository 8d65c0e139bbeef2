from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from benchmarks.peers.__main__ import all_had
from benchmarks.peers.installed import NotInstalledError
from benchmarks.peers.peer import Around, NotAuthenticatingError, Peer, Run
from benchmarks.peers.started import NotStartedError


def around(folder: Path) -> Around:
    return Around(folder, "", "", "", 0, core=0, others=0)


@contextmanager
def there(_around: Around) -> Iterator[Peer]:
    yield Peer(1, "1.0", {})


def failing(fault: Exception) -> Run:
    def run(_around: Around) -> AbstractContextManager[Peer]:
        raise fault

    return run


def test_who_can_not_be_had_is_noted_with_the_reason_and_the_others_run(tmp_path: Path) -> None:
    missing: dict[str, str] = {}
    wanted = {
        "absent": failing(NotInstalledError("not on the path")),
        "broken": failing(NotStartedError("broken did not start:\n  no such\toption")),
        "open": failing(NotAuthenticatingError("nobody is let through")),
        "there": there,
    }

    with ExitStack() as running:
        peers = all_had(wanted, around(tmp_path), running, missing)

    assert list(peers) == ["there"]
    assert missing == {
        "absent": "not on the path",
        "broken": "broken did not start: no such option",
        "open": "nobody is let through",
    }


def test_a_fault_of_our_own_is_no_reason_to_go_on(tmp_path: Path) -> None:
    with ExitStack() as running, pytest.raises(KeyError):
        all_had({"stepup": failing(KeyError("a fault"))}, around(tmp_path), running, {})
