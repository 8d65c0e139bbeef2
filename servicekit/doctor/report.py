"""What a doctor prints, for people and for programs, and the exit status that goes with it.

Owns the form; never looks at anything.
"""

import asyncio
import json
import logging
from collections.abc import Coroutine, Sequence
from typing import Final

from servicekit.doctor.findings import Finding, Status, fault

SETTINGS: Final = "settings"


def report(examination: Coroutine[object, object, list[Finding]], *, as_json: bool) -> tuple[str, int]:
    """Run an examination; return what is to be printed, and the exit status."""
    # The findings say it in plain words, once.
    logging.disable(logging.CRITICAL)
    findings = asyncio.run(examination)
    return drawn(findings, as_json=as_json), exit_status(findings)


def settings_faults(lines: Sequence[str]) -> list[Finding]:
    """Return what is wrong with settings that cannot be read."""
    return [
        fault(SETTINGS, line, "Correct the setting; docs/reference/settings.md lists all of them.")
        for line in lines
    ]


def exit_status(findings: Sequence[Finding]) -> int:
    """Return 0 where there is no fault, 1 otherwise."""
    return int(any(finding.status is Status.FAULT for finding in findings))


def drawn(findings: Sequence[Finding], *, as_json: bool) -> str:
    """Return the findings as JSON, or as lines for people with a count at the end."""
    if as_json:
        return json.dumps([finding.as_json() for finding in findings], indent=2)
    wide = max(len(finding.check) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.status.value:<8} {finding.check:<{wide}}  {finding.detail}")
        if finding.fix:
            lines.append(f"{'':<8} {'':<{wide}}  fix: {finding.fix}")
    counts = [
        f"{number} {status.value}{'' if number == 1 else 's'}"
        for status in (Status.FAULT, Status.WARNING)
        if (number := sum(finding.status is status for finding in findings))
    ]
    return "\n".join([*lines, "", f"{', '.join(counts) or 'Nothing is wrong'}."])
