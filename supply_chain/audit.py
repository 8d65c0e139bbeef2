"""Whether anything is known against what is installed, asked of those who collect it, so that silence is a failure.

Owns the calls of pip-audit and of `npm audit`, and the judgement of their reports: a package that was passed over, a
report that is shorter than the lock file, a source that cannot be reached and a report that cannot be read are faults.
pip-audit alone says that nothing is known, and ends with 0, where it could ask about nothing.
Never mends anything, and never leaves an advisory out.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from supply_chain.floors import below_their_floor
from supply_chain.locks import DEVELOPMENT, NPM, npm_packages, python_packages

_SECONDS: Final = 600
_LAST_WORDS: Final = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: `bad` is known against a package, `unasked` says why something was not asked about."""

    asked: int
    bad: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """The exit status: 0 only where everything was asked about and nothing is known; 2 where something was not."""
        return 2 if self.unasked else 1 if self.bad else 0


def audit(root: Path, *, osv_url: str | None = None, npm: bool = True, lock: str = DEVELOPMENT) -> Verdict:
    """Ask about every locked package; `osv_url` is another collection in OSV's form than the default one.

    The development lock holds what the other two hold, which a test sees to. Raises LockFault.
    """
    packages = python_packages(root, lock)
    below = tuple(below_their_floor(packages.values()))
    python = python_verdict(
        _pip_audit(root / lock, osv_url), {one.name: one.version for one in packages.values()}
    )
    verdicts = [
        python,
        *(npm_verdict(_npm_audit(root / one), len(npm_packages(root, one))) for one in (NPM if npm else ())),
    ]
    return Verdict(
        sum(one.asked for one in verdicts),
        below + tuple(line for one in verdicts for line in one.bad),
        tuple(line for one in verdicts for line in one.unasked),
    )


def python_verdict(report: "Report", locked: dict[str, str]) -> Verdict:
    """Judge pip-audit's report by the versions that are locked."""
    try:
        entries = {str(entry["name"]): entry for entry in json.loads(report.text)["dependencies"]}
        skipped = {
            name: str(entry["skip_reason"]) for name, entry in entries.items() if "skip_reason" in entry
        }
        asked = {name: str(entry["version"]) for name, entry in entries.items() if "vulns" in entry}
        bad = tuple(line for name in asked for line in _known_against(entries[name]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Verdict(0, unasked=(f"pip-audit gave no report (exit {report.status}): {report.last_words}",))
    unasked = [f"{name} was passed over: {reason}" for name, reason in sorted(skipped.items())]
    unasked += [
        f"{name} {version} is locked, and pip-audit reports {asked.get(name) or 'nothing'} of it."
        for name, version in sorted(locked.items())
        if name not in skipped and asked.get(name) != version
    ]
    if report.status not in {0, 1} or (report.status == 1 and not bad and not unasked):
        unasked.append(f"pip-audit failed (exit {report.status}): {report.last_words}")
    return Verdict(len(asked), bad, tuple(unasked))


def npm_verdict(report: "Report", locked: int) -> Verdict:
    """Judge the report of `npm audit` by how many packages are locked."""
    try:
        content = json.loads(report.text)
        counted = int(content["metadata"]["dependencies"]["total"])
        bad = tuple(
            f"{name}: {entry['severity']}, {', '.join(_titles(entry))}"
            for name, entry in sorted(content["vulnerabilities"].items())
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Verdict(0, unasked=(f"npm audit gave no report (exit {report.status}): {report.last_words}",))
    # npm counts by its own tree, without what is optional for other systems: never more, and never nothing.
    if not 0 < counted <= locked:
        return Verdict(counted, bad, (f"npm audit counted {counted} packages, and {locked} are locked.",))
    return Verdict(counted, bad)


@dataclass(frozen=True, slots=True)
class Report:
    """What a program wrote and ended with."""

    status: int
    text: str
    errors: str = ""

    @property
    def last_words(self) -> str:
        """The end of what it said, on one line."""
        said = " ".join((self.errors or self.text or "it said nothing").split())
        return said[-_LAST_WORDS:]


def _known_against(entry: dict[str, Any]) -> Iterator[str]:
    for one in entry["vulns"]:
        fixed = ", ".join(one.get("fix_versions") or ()) or "no version"
        yield f"{entry['name']} {entry['version']}: {one['id']}, mended in {fixed}."


def _titles(entry: dict[str, Any]) -> Iterator[str]:
    for via in entry["via"]:
        yield via if isinstance(via, str) else str(via["title"])


def _pip_audit(lock: Path, osv_url: str | None) -> Report:
    # The hashes are checked, nothing is resolved, and no pip is needed: what is asked about is what the file says.
    options = [
        "--require-hashes",
        "--disable-pip",
        "--strict",
        "--format",
        "json",
        "--progress-spinner",
        "off",
    ]
    options += ["--vulnerability-service", "osv", "--osv-url", osv_url] if osv_url else []
    return _ended(sys.executable, "-m", "pip_audit", "--requirement", str(lock), *options)


def _npm_audit(lock: Path) -> Report:
    npm = shutil.which("npm")
    if npm is None:
        return Report(127, "", "npm is not installed")
    return _ended(npm, "audit", "--json", "--package-lock-only", cwd=lock.parent)


def _ended(*command: str, cwd: Path | None = None) -> Report:
    try:
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Report(127, "", str(error))
    return Report(ended.returncode, ended.stdout, ended.stderr)


def told(verdict: Verdict) -> Sequence[str]:
    """Return the lines that a person reads."""
    end = {0: "nothing is known against them.", 1: "see above.", 2: "the audit is incomplete, so it failed."}
    return [
        *verdict.bad,
        *verdict.unasked,
        f"{verdict.asked} packages were asked about: {end[verdict.status]}",
    ]
