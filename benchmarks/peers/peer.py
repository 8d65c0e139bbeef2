"""What it means to be compared: how a peer is run, where it is asked, and that it really authenticates.

A peer that lets a stranger through, or takes one person for another, is not measured: it would be fast for no good
reason.
"""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.peers.browser import people_signed_in
from benchmarks.peers.started import started
from devstack.ports import free_port
from devstack.processes import Program

ADA, GRACE = "ada@example.com", "grace@example.com"
CLIENT, SECRET = "a-client", "a-secret-of-the-client-in-the-benchmark"
SCOPES: Final = "openid profile email"
W1, W2 = "W1", "W2"
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Around:
    """What all peers are given."""

    folder: Path
    provider: str
    """The OpenID provider's issuer."""
    upstream: str
    redis: str
    store: int
    """The store's process id."""
    core: int
    """Where whoever is measured runs; everything else is on `others`."""
    others: int


@dataclass(frozen=True, slots=True)
class Ways:
    """Where a peer is asked, as paths below its own address."""

    sign_in: str
    session: str
    row: str


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody who runs, with a person who has signed in."""

    pid: int
    versions: str
    addresses: Mapping[str, str]
    """By work: W1 says who is signed in, W2 is a read that goes to the API with the person's token."""
    headers: Mapping[str, str] = field(default_factory=dict)
    store: int | None = None
    """The process id of its store, if it has one."""


Run = Callable[[Around], AbstractContextManager[Peer]]


class NotAuthenticatingError(Exception):
    """A peer answered a stranger, or somebody with another person's data."""


@contextmanager
def program(
    around: Around,
    name: str,
    command: Callable[[Path, int], tuple[str, ...]],
    *,
    environment: Mapping[str, str],
    ways: Ways,
    versions: str,
) -> Iterator[Peer]:
    """Run a peer as a program while the block runs, with Ada signed in.

    `command` is what to run, by the folder and the port it is given. Raises NotStartedError, NotAuthenticatingError.
    """
    folder, port = around.folder / name, free_port()
    folder.mkdir()
    url = f"http://localhost:{port}"
    told = {**environment, "PORT": str(port), "BASE_URL": url}
    made = Program(name, command(folder, port), told, folder, folder / "log")
    with started(made, port, around.core) as pid:
        cookies = people_signed_in(url + ways.sign_in, around.provider, (ADA, GRACE))
        for person, cookie in cookies.items():
            other = GRACE if person == ADA else ADA
            check(url + ways.session, url + ways.row, {"Cookie": cookie}, person, other)
        addresses = {W1: url + ways.session, W2: url + ways.row}
        yield Peer(pid, versions, addresses, {"Cookie": cookies[ADA]}, around.store)


def check(session: str, row: str, headers: Mapping[str, str], person: str, other: str) -> None:
    """Raise NotAuthenticatingError unless a person is known by the cookie, and nobody without it."""
    if not headers["Cookie"]:
        raise NotAuthenticatingError(f"{person} could not sign in: no cookie was set")
    status, text = answer(session, headers)
    if status != _OK or person not in text or other in text:
        raise NotAuthenticatingError(f"{session} does not know {person}: {status} {text[:200]}")
    status, text = answer(row, headers)
    if status != _OK or "Ada Lovelace" not in text:
        raise NotAuthenticatingError(f"{row} brought {status} {text[:200]}")
    strangers = {name: value for name, value in headers.items() if name != "Cookie"}
    forged = {**headers, "Cookie": _forged(headers["Cookie"])}
    for sent, who in ((strangers, "nobody"), (forged, "a forged cookie")):
        _, text = answer(session, sent)
        status, brought = answer(row, sent)
        if person in text or (status == _OK and "Ada Lovelace" in brought):
            raise NotAuthenticatingError(f"{who} is let through by {session} or {row}")


def answer(url: str, headers: Mapping[str, str]) -> tuple[int, str]:
    """Return status and text of an answer; where it leads is not followed."""
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 -- of this computer
    try:
        with _OPENER.open(request, timeout=10) as response:
            return response.status, response.read().decode(errors="replace")
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode(errors="replace")


def _forged(cookie: str) -> str:
    """Change each cookie's value in its middle, as somebody would who guesses."""
    changed = []
    for pair in cookie.split("; "):
        name, _, value = pair.partition("=")
        middle = len(value) // 2
        changed.append(f"{name}={value[:middle]}{'A' if value[middle] != 'A' else 'B'}{value[middle + 1 :]}")
    return "; ".join(changed)


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_StayHere)
