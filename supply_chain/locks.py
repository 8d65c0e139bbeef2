"""The lock files, read: what is installed, at which version, by which hashes, and for what.

Owns the reading of requirements*.lock and of each package-lock.json. Nothing is resolved or installed.
Never asks a network.
"""

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RUN: Final = "requirements.lock"
LOCAL: Final = "requirements-local.lock"
DEVELOPMENT: Final = "requirements-dev.lock"
NPM: Final = (
    "tests/package-lock.json",
    "benchmarks/headers/package-lock.json",
    "benchmarks/peers/express/package-lock.json",
)
PRODUCT: Final = "stepup"


class LockFault(Exception):
    """A lock file cannot be read as one; the sentence says where."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package at its locked version; `hashes` are of all its files, `algorithm:hexadecimal digits`."""

    name: str
    version: str
    hashes: tuple[str, ...]
    licence: str = ""


def python_packages(root: Path, lock: str) -> dict[str, Package]:
    """Return what a requirements file installs, by name; raises LockFault for a line without version or hash."""
    text = (root / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    packages = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        found = re.match(r"([a-z0-9-]+)==([^\s;]+)", line)
        hashes = tuple(sorted(re.findall(r"--hash=(sha256:[0-9a-f]{64})", line)))
        if found is None or not hashes:
            raise LockFault(f"{lock}: {line[:60]!r} names no version with hashes.")
        packages[found[1]] = Package(found[1], found[2], hashes)
    return packages


def npm_packages(root: Path, lock: str) -> dict[str, Package]:
    """Return what a lock file of npm installs, by path below node_modules; raises LockFault without a hash."""
    packages = {}
    for path, entry in json.loads((root / lock).read_text(encoding="utf-8"))["packages"].items():
        if not path:
            continue
        name = path.rpartition("node_modules/")[2]
        integrity = str(entry.get("integrity", ""))
        if not re.fullmatch(r"sha512-[A-Za-z0-9+/]+=*", integrity):
            raise LockFault(f"{lock}: {name} has no hash.")
        digest = base64.b64decode(integrity.removeprefix("sha512-")).hex()
        packages[path] = Package(
            name, entry["version"], (f"sha512:{digest}",), licence=str(entry.get("license", ""))
        )
    return packages


def all_of_npm(root: Path) -> list[Package]:
    """Return what all lock files of npm install, each version once, in order."""
    packages = [package for lock in NPM for package in npm_packages(root, lock).values()]
    return [one for _, one in sorted({(one.name, one.version): one for one in packages}.items())]
