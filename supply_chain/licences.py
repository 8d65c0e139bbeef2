"""Under which licence each package is, and whether that is one that we take.

Owns the table supply_chain/licences.toml, its comparison with what packages say of themselves, and the sets of licences
that are taken. Licences are named as in the SPDX list; `licence_page` draws them all.
Never reads the text of a licence, and gives no advice of a lawyer.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Final

from supply_chain.locks import DEVELOPMENT, LOCAL, RUN, Package, all_of_npm, python_packages

TABLE: Final = Path("supply_chain") / "licences.toml"

# What may run beside code under MIT, in an image that others are given.
_FREE: Final = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"}
)
TAKEN: Final = {"run": _FREE, "local": _FREE, "development": _FREE | {"BlueOak-1.0.0"}}

# How packages write what the SPDX list has a name for; a classifier that stands for several licences is none of these.
_SPELLINGS: Final = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "PSFL": "PSF-2.0",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
}


def uses(root: Path) -> dict[str, list[Package]]:
    """Return the packages by what they are for, each once, in order."""
    run, local, development = (python_packages(root, lock) for lock in (RUN, LOCAL, DEVELOPMENT))
    return {
        "run": list(run.values()),
        "local": [package for name, package in local.items() if name not in run],
        "development": [package for name, package in development.items() if name not in local],
    }


def known_licences(root: Path, kind: str = "python") -> dict[str, str]:
    """Return what the table says, by the package's name; `npm` has only what lock files leave open."""
    table: dict[str, str] = tomllib.loads((root / TABLE).read_text(encoding="utf-8"))[kind]
    return table


def of_npm(root: Path) -> list[Package]:
    """Return all packages for Node.js with their licences."""
    known = known_licences(root, "npm")
    return [replace(one, licence=one.licence or known.get(one.name, "")) for one in all_of_npm(root)]


def licence_faults(root: Path) -> Iterator[str]:
    """Yield a sentence for each package without a licence, with one that is not taken, or that names another itself."""
    table, groups = known_licences(root), uses(root)
    for use, packages in groups.items():
        for package in packages:
            yield from _faults_of(package.name, table.get(package.name, ""), TAKEN[use])
    for package in of_npm(root):
        yield from _faults_of(package.name, package.licence, TAKEN["development"])
    locked = {package.name for packages in groups.values() for package in packages}
    for name, licence in table.items():
        if name not in locked:
            yield f"{name} is in {TABLE}, and is installed nowhere."
        elif (said := said_by(name)) and said != licence:
            yield f"{name} says {said} of itself, and {TABLE} says {licence}."


def write(root: Path) -> None:
    """Bring the table up to the lock files, where packages say clearly what they are under."""
    old = known_licences(root)
    names = sorted(package.name for packages in uses(root).values() for package in packages)
    head = (root / TABLE).read_text(encoding="utf-8").partition("[python]")[0]
    lines = [f'{name} = "{said_by(name) or old.get(name, "")}"' for name in names]
    (root / TABLE).write_text(f"{head}[python]\n" + "\n".join(lines) + "\n", encoding="utf-8")


def said_by(name: str) -> str:
    """Return the licence that an installed package names in a way that leaves no question; empty else."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return ""
    texts = said.json  # names in small letters, with underscores
    if expression := texts.get("license_expression"):
        return str(expression)
    text = str(texts.get("license", "")).strip()
    if text in _FREE or text in _SPELLINGS:
        return _SPELLINGS.get(text, text)
    classifiers = [line for line in said.get_all("Classifier") or () if line.startswith("License ::")]
    return _SPELLINGS.get(classifiers[0], "") if len(classifiers) == 1 else ""


def is_taken(expression: str, taken: frozenset[str]) -> bool:
    """Tell whether an SPDX expression can be kept to by licences that are taken; one in brackets is not read."""
    return bool(expression) and any(
        all(part.strip() in taken for part in choice.split(" AND ")) for choice in expression.split(" OR ")
    )


def _faults_of(name: str, licence: str, taken: frozenset[str]) -> Iterator[str]:
    if not licence:
        yield f"{name} has no licence in {TABLE}."
    elif not is_taken(licence, taken):
        yield f"{name} is under {licence}, which is not taken."
