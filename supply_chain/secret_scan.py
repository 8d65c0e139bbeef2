"""The search for secrets, in the files of now and in every file that the history ever had.

Owns the walk, and the list of what is known and harmless, supply_chain/harmless.toml: each entry names what was found
by its digest and says why it may lie there, so that another secret in the same file is found all the same.
Never shows what it found: a log of the search must not become the leak.
"""

import hashlib
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from supply_chain.secret_rules import rule_names, secrets_in

HARMLESS: Final = Path("supply_chain") / "harmless.toml"
_LARGEST: Final = 5_000_000


class ScanFault(Exception):
    """The search could not look at everything; the sentence says why."""


@dataclass(frozen=True, slots=True, order=True)
class Find:
    """Something that looks like a secret."""

    path: str
    line: int
    rule: str
    digest: str

    def __str__(self) -> str:
        """Return where it is, never what it is."""
        return f"{self.path}:{self.line}: {self.rule}, digest {self.digest}"


def finds(path: str, content: bytes) -> Iterator[Find]:
    """Yield what looks like a secret in a file; what is no text is searched as Latin-1."""
    text = content.decode(errors="surrogateescape")
    for rule, at, found in secrets_in(text):
        digest = hashlib.sha256(f"{rule}\0{found}".encode(errors="surrogateescape")).hexdigest()[:16]
        yield Find(path, text.count("\n", 0, at) + 1, rule, digest)


def files_of_now(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file that belongs to the working copy or will: tracked, or neither tracked nor ignored."""
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
    for name in filter(None, (entry.decode() for entry in listed)):
        path = root / name
        if path.is_file() and not path.is_symlink():
            yield name, path.read_bytes()


def files_of_history(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every content that any commit on any branch had, once, under one of its names; then every message.

    Raises ScanFault where the copy has only a part of the history.
    """
    if _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise ScanFault(
            "The clone is shallow, so the history is not all here. Fetch it: git fetch --unshallow."
        )
    listed = _git(root, "rev-list", "--objects", "--all").decode(errors="surrogateescape").splitlines()
    names = dict(entry.split(" ", 1) for entry in listed if " " in entry)
    with subprocess.Popen(
        ("git", "-C", str(root), "cat-file", "--batch"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reading:
        assert reading.stdin, "asked for"  # noqa: S101 - a pipe that was asked for is there
        assert reading.stdout, "asked for"  # noqa: S101 - the same
        for name, path in names.items():
            reading.stdin.write(f"{name}\n".encode())
            reading.stdin.flush()
            _, kind, size = reading.stdout.readline().split()
            content = reading.stdout.read(int(size) + 1)
            if kind == b"blob":
                yield f"{path} ({name[:12]})", content
        reading.stdin.close()
    yield "the messages of all commits", _git(root, "log", "--all", "--format=%H %an %ae%n%B")


def search(files: Iterable[tuple[str, bytes]], harmless: Iterable[str]) -> list[Find]:
    """Return what looks like a secret and is not known as harmless, in order; raises ScanFault for too large a file."""
    known = frozenset(harmless)
    found = set()
    for path, content in files:
        if len(content) > _LARGEST:
            raise ScanFault(
                f"{path} is larger than {_LARGEST} bytes, and is not searched. What does it do here?"
            )
        found |= {one for one in finds(path, content) if one.digest not in known}
    return sorted(found)


def harmless(root: Path) -> dict[str, str]:
    """Return the digests of what may lie there, with the reason; raises ScanFault for an entry without one."""
    table = tomllib.loads((root / HARMLESS).read_text(encoding="utf-8"))
    known: dict[str, str] = {}
    for entry in table["harmless"]:
        reason, rule = str(entry.get("reason", "")).strip(), entry.get("rule")
        if not reason or rule not in rule_names():
            raise ScanFault(f"{HARMLESS}: an entry lacks its reason, or names no rule: {entry}")
        known |= dict.fromkeys(entry["digests"], reason)
    return known


def _git(root: Path, *command: str) -> bytes:
    try:
        ended = subprocess.run(("git", "-C", str(root), *command), capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ScanFault(f"git {command[0]} failed, so not everything was searched: {error}") from error
    return ended.stdout
