"""Who is a stranger to the log (A6)."""

import pytest

from servicekit.callers import KNOWN, NETWORK, unknown_caller


class Request(dict[object, object]):
    """What is read of a request."""

    remote: str | None = "192.0.2.7"


@pytest.mark.parametrize(
    "noted, status, network",
    [
        ({}, 200, "192.0.2.7"),
        ({NETWORK: "192.0.2.0/24"}, 403, "192.0.2.0/24"),
        ({NETWORK: "192.0.2.0/24", KNOWN: True}, 200, None),
        ({KNOWN: True}, 403, None),
        ({KNOWN: True}, 500, None),
        ({KNOWN: True}, 503, None),
        ({NETWORK: "192.0.2.0/24", KNOWN: True}, 429, "192.0.2.0/24"),
    ],
    ids=str,
)
def test_A6_a_stranger_is_whoever_is_not_known_or_was_one_too_many(
    noted: dict[object, object], status: int, network: str | None
) -> None:
    assert unknown_caller(Request(noted), status) == network  # type: ignore[arg-type] # all that is read of it


def test_A6_a_request_without_a_connection_is_a_strangers() -> None:
    request = Request()
    request.remote = None
    assert unknown_caller(request, 400) == "unknown"  # type: ignore[arg-type] # the same
