"""The command lines of dev.py and of `stepup dev`: read, and handed over to run or test.

Owns the exit codes' last word: 0 done, 1 something stands in the way (one sentence says what), 2 a wrong option,
130 interrupted. dev.py runs first in whatever Python the person has, then again in .venv; `stepup dev` runs in the
environment in which it is installed, and makes none.
"""

import argparse
import contextlib
import errno
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from devstack.console import Console
from devstack.errors import LaunchError, StopRequested
from devstack.installation import Installation, reexecute
from devstack.interruption import INTERRUPTED, raise_on_signals

# What does the work is imported where it is begun: the first of dev.py's two Pythons only looks at the environment.
if TYPE_CHECKING:
    from devstack.run_command import RunOptions

ROOT = Path(__file__).resolve().parent.parent
RUN_LOCK, RUN_FALLBACK, TEST_LOCK = "requirements-local.lock", "requirements.lock", "requirements-dev.lock"


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Do what the command line asks for; the exit code comes back."""
    raise_on_signals()
    if arguments[:1] == ["test"]:
        console = Console(sys.stderr)
        return _explained(console, lambda: _test(arguments, environment, console))
    if arguments[:1] == ["doctor"]:
        console = Console(sys.stderr)
        return _explained(console, lambda: _doctor(arguments, environment, console))
    if arguments[:1] == ["pictures"]:
        console = Console(sys.stderr)
        return _explained(console, lambda: _pictures(arguments, environment, console))
    console = Console(sys.stdout)
    return _explained(console, lambda: _run(arguments, environment, console))


def run_installed(namespace: argparse.Namespace, environment: Mapping[str, str], directory: Path) -> int:
    """Do what `stepup dev` asks for with the installed packages; the exit code comes back.

    `namespace` holds what `add_options` added; `.env` is read and `.local/` is kept in `directory`.
    """
    from devstack.run_command import Layout, run  # noqa: PLC0415 -- see above

    raise_on_signals()
    console = Console(sys.stdout, verbose=namespace.verbose)
    layout = Layout(packages=ROOT, directory=directory, importable=True)
    return _explained(console, lambda: run(_options(namespace), environment, layout, console))


def _explained(console: Console, work: Callable[[], int]) -> int:
    """Do the work; what stands in its way becomes one sentence and an exit code."""
    try:
        return work()
    except LaunchError as problem:
        console.say(str(problem))
        if "ModuleNotFoundError" in str(problem):
            console.say("If it is a package of .venv that is missing, remove .venv and run this again.")
        return problem.exit_code
    except StopRequested:
        console.say("Interrupted. Nothing is left running; the next run begins where it makes sense.")
        return INTERRUPTED
    except BrokenPipeError:  # who read along has gone (`dev.py | head`), and nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), console.stream.fileno())
        return 1
    except OSError as problem:
        if (sentence := _about(problem)) is None:
            raise
        console.say(sentence)
        return 1


def _run(arguments: list[str], environment: Mapping[str, str], console: Console) -> int:
    namespace = _parser().parse_args(arguments)
    console.verbose = namespace.verbose
    _enter(RUN_LOCK, arguments, environment, console, fallback=RUN_FALLBACK)
    from devstack.run_command import Layout, run  # noqa: PLC0415 -- see above

    return run(_options(namespace), environment, Layout(packages=ROOT, directory=ROOT), console)


def _test(arguments: list[str], environment: Mapping[str, str], console: Console) -> int:
    _enter(TEST_LOCK, arguments, environment, console)
    from devstack.checks import check  # noqa: PLC0415 -- only of use once the environment is installed

    return check(arguments[1:], environment, ROOT, console)


def _pictures(arguments: list[str], environment: Mapping[str, str], console: Console) -> int:
    argparse.ArgumentParser(
        prog="dev.py pictures",
        description="Take the README's pictures anew, of the product as it is.",
        allow_abbrev=False,
    ).parse_args(arguments[1:])
    _enter(TEST_LOCK, arguments, environment, console)
    from devstack.pictures import take_pictures  # noqa: PLC0415 -- see above

    return take_pictures(environment, ROOT, console)


def _doctor(arguments: list[str], environment: Mapping[str, str], console: Console) -> int:
    parser = argparse.ArgumentParser(
        prog="dev.py doctor",
        description="Check the configuration of gateway and resource API with what dev.py fills in, and explain each "
        "fault. Of a run that is under way its parts are looked at; otherwise they are started for the time it takes.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="write lists of findings as JSON")
    namespace = parser.parse_args(arguments[1:])
    _enter(RUN_LOCK, arguments, environment, console, fallback=RUN_FALLBACK)
    from devstack.doctors import examine  # noqa: PLC0415 -- see above
    from devstack.run_command import Layout  # noqa: PLC0415 -- see above

    return examine(environment, Layout(packages=ROOT, directory=ROOT), console, as_json=namespace.json)


def _enter(
    lock: str,
    arguments: list[str],
    environment: Mapping[str, str],
    console: Console,
    *,
    fallback: str | None = None,
) -> None:
    """Come back only inside a complete environment."""
    installation = Installation(ROOT, environment, console)
    installation.ensure(lock, fallback=fallback)
    if not installation.inside:
        sys.stdout.flush()
        reexecute(installation.python, [str(ROOT / "dev.py"), *arguments], environment)


def _about(problem: OSError) -> str | None:
    """Say what is wrong with a file or the disk; None for what is neither."""
    if problem.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "The disk is full. Make room and run this again."
    if problem.filename is None:
        return None
    return (
        f"{problem.filename} can't be used: {problem.strerror}. "
        "Mend or remove it, or run this as the user to whom this directory belongs."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dev.py",
        description="Start Stepup on this computer: gateway, resource API, local tenant and a Redis.",
        epilog="`dev.py doctor` checks the configuration; "
        "`dev.py test` runs lint, types and all tests; `dev.py test unit` the quick ones, without a browser; "
        "`dev.py test [pytest arguments]` only pytest; `dev.py pictures` takes those of the README.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"stepup {_version()}")
    add_options(parser)
    parser.add_argument(
        "--example", metavar="NAME", help="run an example of examples/ with it: notes or profile-element"
    )
    return parser


def _version() -> str:
    """Return the version as it is written down; nothing of ours is imported here."""
    with contextlib.suppress(OSError):
        text = (ROOT / "servicekit" / "version.py").read_text(encoding="utf-8")
        if found := re.search(r'VERSION[^=]*= "([^"]+)"', text):
            return found[1]
    return "unknown"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what a run can be asked for."""
    parser.add_argument("--open", action="store_true", help="open the browser when it is ready")
    parser.add_argument("--https", action="store_true", help="serve https, which Safari wants even here")
    parser.add_argument("--reload", action="store_true", help="restart a part when its source changes")
    parser.add_argument("--verbose", action="store_true", help="show every log line, not only warnings")
    parser.add_argument("--port", type=_port, metavar="N", help="the gateway's port (GATEWAY_PORT, 3000)")
    parser.add_argument(
        "--api-port", type=_port, metavar="N", help="the resource API's (RESOURCE_API_PORT, 3001)"
    )
    parser.add_argument(
        "--tenant-port", type=_port, metavar="N", help="the tenant's (LOCAL_TENANT_PORT, 8400)"
    )


def _options(namespace: argparse.Namespace) -> "RunOptions":
    from devstack.run_command import RunOptions  # noqa: PLC0415 -- see above

    return RunOptions(
        namespace.port,
        namespace.api_port,
        namespace.tenant_port,
        namespace.open,
        namespace.reload,
        namespace.https,
        getattr(namespace, "example", None),
    )


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) <= 65535):  # noqa: PLR2004 -- the highest port there is
        raise argparse.ArgumentTypeError(f"{text!r} is no port number (1 to 65535)")
    return int(text)
