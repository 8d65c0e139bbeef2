"""Who can sign in at the local tenant: read from its configuration, to be printed.

Owns nothing; a configuration that it can't read yields nobody, and the tenant itself says what is wrong with it.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Person:
    """What it takes to sign in. The password is a published one, for local work only."""

    email: str
    password: str


def people(configuration: Path) -> list[Person]:
    """List the people in a local tenant's configuration file."""
    try:
        with configuration.open("rb") as file:
            entries = tomllib.load(file).get("people", [])
    except (OSError, tomllib.TOMLDecodeError):
        return []
    return [
        Person(entry["email"], entry["password"])
        for entry in entries
        if isinstance(entry, dict)
        and isinstance(entry.get("email"), str)
        and isinstance(entry.get("password"), str)
    ]
