"""Reads what uv says: how far it is, and, when it failed, why, in one sentence.

Owns the patterns of uv's English messages and nothing else; a failure that it does not recognise is quoted.
"""

import re

from devstack.install_failure import InstallFailure

_DOWNLOADING = re.compile(r"^Downloading ([A-Za-z0-9._-]+) ")
_ALTERED = re.compile(r"Hash mismatch for")
_FULL = re.compile(r"No space left on device")
_DISTRUST = re.compile(r"invalid peer certificate|UnknownIssuer")
_OFFLINE = re.compile(r"Request failed after|error sending request|network was disabled|Failed to fetch")
_UNSOLVED = re.compile(r"No solution found")
_ABSENT = re.compile(r"Because (?:there is no version of )?([A-Za-z0-9._-]+)(?:\{[^}]*\})?(==[^\s,]+)?")
# It fails before the first file is written, and says so, unless the error is one of writing.
_ERROR = re.compile(r"^error: (?!Failed to install)", re.MULTILINE)


def package_begun(line: str) -> str | None:
    """Name the package that uv turns to with this line, or None; it speaks of the large ones only."""
    match = _DOWNLOADING.match(line)
    return match.group(1) if match else None


def absent_package(output: str) -> str | None:
    """Name what the index has no file of for this computer; None when uv failed for another reason."""
    if _OFFLINE.search(output) or _DISTRUST.search(output) or not _UNSOLVED.search(output):
        return None
    match = _ABSENT.search(output)
    return f"{match[1]}{match[2] or ''}" if match else None


def failure(output: str) -> InstallFailure:
    """Read how uv failed; `output` is all that it wrote.

    What has to do with reaching packages is not final: pip knows of indexes and certificates that uv does not.
    """
    return InstallFailure(
        _reason(output),
        absent=absent_package(output),
        wrote=_ERROR.search(output) is None,
        final=bool(_ALTERED.search(output) or _FULL.search(output)),
    )


def _reason(output: str) -> str:
    if _DISTRUST.search(output):
        return "the package index's certificate is not trusted here."
    if _OFFLINE.search(output):
        return "the package index can't be reached."
    if _ALTERED.search(output):
        return "a downloaded package is not the one that the lock file names. Nothing of it was installed."
    if _FULL.search(output):
        return "the disk is full. Make room and run this again."
    if package := absent_package(output):
        return f"{package} is not published for this Python or this kind of computer."
    words = [line for line in output.splitlines() if line.startswith("error: ")] or output.split("\n")[-1:]
    return f"uv says: {words[0].removeprefix('error: ')}" if words[0] else "uv ended without a word."
