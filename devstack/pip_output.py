"""Reads what pip says: how far it is, and, when it failed, why, in one sentence.

Owns the patterns of pip's English messages and nothing else; a failure that it does not recognise is quoted.
"""

import re

from devstack.install_failure import InstallFailure

# pip says this after it has everything, and before the first file is written.
_BEGUN_TO_WRITE = "Installing collected packages"
_COLLECTING = re.compile(
    r"^(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)"
    r"|^Processing .*?([A-Za-z0-9._]+)-[^-/]+(?:-[^-/]+){3,4}\.whl"  # from a directory of wheels
)
_OFFLINE = re.compile(
    r"NewConnectionError|NameResolutionError|Name or service not known|Temporary failure in name resolution"
    r"|nodename nor servname|ConnectTimeoutError|ReadTimeoutError|Network is unreachable|No route to host"
    r"|Connection refused|Connection reset|ProxyError|Cannot connect to proxy|ConnectionResetError"
)
_DISTRUST = re.compile(r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError")
_ALTERED = re.compile(r"DO NOT MATCH THE HASHES")
_FULL = re.compile(r"No space left on device")
_ABSENT = re.compile(r"No matching distribution found for ([^\s;]+)")


def package_begun(line: str) -> str | None:
    """Name the package that pip turns to with this line, or None."""
    match = _COLLECTING.match(line)
    return match.group(1) or match.group(2) if match else None


def absent_package(output: str) -> str | None:
    """Name what the index has no file of for this computer; None when pip failed for another reason."""
    if _OFFLINE.search(output) or _DISTRUST.search(output):
        return None  # pip says "no matching distribution" of a package that it could not ask for, too
    match = _ABSENT.search(output)
    return match.group(1) if match else None


def failure(output: str) -> InstallFailure:
    """Read how pip failed; `output` is all that it wrote."""
    return InstallFailure(
        reason(output), absent=absent_package(output), wrote=_BEGUN_TO_WRITE in output, final=True
    )


def reason(output: str) -> str:
    """Why the installation failed, for the person who has to do something about it."""
    if _DISTRUST.search(output):
        return (
            "the package index's certificate is not trusted here. Behind a company proxy, name its certificate file "
            "in PIP_CERT and run this again."
        )
    if _OFFLINE.search(output):
        return (
            "the package index can't be reached. Check the network (and HTTPS_PROXY, if you need one) "
            "and run this again."
        )
    if _ALTERED.search(output):
        return "a downloaded package is not the one that the lock file names. Nothing of it was installed."
    if _FULL.search(output):
        return "the disk is full. Make room and run this again."
    if package := absent_package(output):
        return f"{package} is not published for this Python or this kind of computer."
    words = [line for line in output.splitlines() if line.strip()]
    return f"pip says: {words[-1].strip()}" if words else "pip ended without a word."
