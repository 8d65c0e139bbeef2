"""The least versions: below them a package has a flaw that touched what it is here for.

Owns that table, which needs no network and is looked at in every run of the tests; what came up since it was written
the audit asks for.
Never says that a version is good.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from packaging.version import Version

from supply_chain.locks import Package

FLOORS: Final = {
    "aiohttp": (
        "3.14.3",
        "GHSA-cq5v-8q36-5273, GHSA-mfx4-hv73-q22v (smuggling), GHSA-4fvr-rgm6-gqmc, CVE-2026-34525",
    ),
    "aiohttp-session": ("2.7.0", "CVE-2018-1000519 (fixation), CVE-2018-1000814 (sessions without an end)"),
    "authlib": ("1.6.11", "GHSA-fg6f-75jq-6523, GHSA-jj8c-mmj3-mmgv (a state of anybody's browser)"),
    "cryptography": ("50.0.0", "GHSA-g6cj-pr64-35w5"),
    "idna": ("3.7", "CVE-2024-3651"),
    "multidict": ("6.9.1", "CVE-2026-104874"),
    "pyjwt": ("2.15.1", "GHSA-ffc3-869f-jxw9, GHSA-p4g4-x82p-q773, GHSA-jq35-7prp-9v3f, GHSA-75c5-xw7c-p5pm"),
    "redis": ("4.5.5", "CVE-2023-28858, CVE-2023-28859 (one person's reply for another)"),
    "requests": ("2.33.0", "CVE-2024-47081, CVE-2026-25645"),
    "urllib3": ("2.8.0", "CVE-2026-97687, CVE-2026-97688, CVE-2026-97689"),
}


def below_their_floor(packages: Iterable[Package]) -> Iterator[str]:
    """Yield a sentence for each package whose version is below the least one."""
    for package in packages:
        least, why = FLOORS.get(package.name, ("", ""))
        if least and Version(package.version) < Version(least):
            yield f"{package.name} {package.version} is below {least}: {why}."
