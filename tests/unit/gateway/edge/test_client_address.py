"""Whose request it is, behind proxies and without."""

from typing import Any, Final

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from gateway.edge.client_address import ClientAddress, ClientAddresses
from tests.stage.python_calls import python_calls


@pytest.mark.parametrize(
    "peer, forwarded, proxies, expected",
    [
        ("198.51.100.7", "203.0.113.9", (), "198.51.100.7"),
        ("10.0.0.2", "203.0.113.9", ("10.0.0.0/8",), "203.0.113.9"),
        ("10.0.0.2", "6.6.6.6, 203.0.113.9, 10.0.0.3", ("10.0.0.0/8",), "203.0.113.9"),
        ("198.51.100.7", "10.0.0.9", ("10.0.0.0/8",), "198.51.100.7"),
        ("10.0.0.2", "not an address", ("10.0.0.0/8",), "10.0.0.2"),
        ("10.0.0.2", "[not an address]:1", ("10.0.0.0/8",), "10.0.0.2"),
        ("2001:db8:1:2:3::4", "", (), "2001:db8:1:2:3::4"),
        # A proxy behind another, and nobody before them.
        ("10.0.0.2", "10.0.0.3", ("10.0.0.0/8",), "10.0.0.3"),
        ("10.0.0.2", "", ("10.0.0.0/8",), "10.0.0.2"),
        ("", "203.0.113.9", ("10.0.0.0/8",), "unknown"),
        # An operator may write a network by any of its addresses.
        ("10.0.0.2", "203.0.113.9", ("10.1.2.3/8",), "203.0.113.9"),
        # With a port, as Azure's gateways write it.
        ("10.0.0.2", "203.0.113.9:51234", ("10.0.0.0/8",), "203.0.113.9"),
        ("10.0.0.2", "203.0.113.9:51234, 10.0.0.3:443", ("10.0.0.0/8",), "203.0.113.9"),
        ("10.0.0.2", "[2001:db8:1:2:3::4]:51234", ("10.0.0.0/8",), "2001:db8:1:2:3::4"),
        ("10.0.0.2", "[2001:db8:1:2:3::4]", ("10.0.0.0/8",), "2001:db8:1:2:3::4"),
        # IPv4 through a socket of IPv6: people of their own, and not one household.
        ("::ffff:198.51.100.7", "", (), "198.51.100.7"),
        ("::ffff:10.0.0.2", "::ffff:203.0.113.9", ("10.0.0.0/8",), "203.0.113.9"),
    ],
)
def test_S48_a_caller_s_address_is_what_a_trusted_proxy_says_and_nobody_else(
    peer: str, forwarded: str, proxies: tuple[str, ...], expected: str
) -> None:
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": forwarded}).clone(remote=peer)

    assert ClientAddresses(proxies).of(request).text == expected


def test_S48_several_fields_are_one_list_and_the_last_entry_is_the_nearest() -> None:
    fields = CIMultiDict([("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.9, 10.0.0.3")])
    request = make_mocked_request("GET", "/", headers=fields).clone(remote="10.0.0.2")

    assert ClientAddresses(("10.0.0.0/8",)).of(request).text == "203.0.113.9"


def test_S48_each_field_ends_an_entry() -> None:
    fields = CIMultiDict([("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "10.0.0.3")])
    request = make_mocked_request("GET", "/", headers=fields).clone(remote="10.0.0.2")

    assert ClientAddresses(("10.0.0.0/8",)).of(request).text == "203.0.113.9"


@pytest.mark.parametrize(
    "peer, forwarded, behind",
    [
        ("198.51.100.7", "203.0.113.9", "203.0.113.0/24"),
        ("198.51.100.7", "6.6.6.6, 203.0.113.9", "203.0.113.0/24"),
        ("198.51.100.7", "", None),
        ("198.51.100.7", "nobody", None),
        # Named by a proxy of ours, whom this one says it speaks for in turn.
        ("10.0.0.2", "203.0.113.9, 198.51.100.7", "203.0.113.0/24"),
        ("10.0.0.2", "203.0.113.9", None),
        ("10.0.0.2", "nobody", None),
        ("10.0.0.2", "203.0.113.9, nobody", None),
    ],
)
def test_A5_a_stranger_says_for_whom_it_speaks_and_a_proxy_of_ours_does_not(
    peer: str, forwarded: str, behind: str | None
) -> None:
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": forwarded}).clone(remote=peer)

    assert ClientAddresses(("10.0.0.0/8",)).of(request).behind == behind


@pytest.mark.parametrize(
    "peer, is_trusted",
    [("10.0.0.2", True), ("::ffff:10.0.0.2", True), ("198.51.100.7", False), ("x", False), (None, False)],
)
def test_S48_our_proxies_are_those_that_were_named(peer: str | None, *, is_trusted: bool) -> None:
    assert ClientAddresses(("10.0.0.0/8",)).is_trusted(peer) is is_trusted


def test_S48_a_request_without_a_peer_is_nobodys() -> None:
    nobody: Any = None
    request = make_mocked_request("GET", "/").clone(remote=nobody)

    assert request.remote is None
    assert ClientAddresses(()).of(request) == ClientAddress("unknown", "unknown")


@pytest.mark.parametrize(
    "peer, network",
    [
        ("198.51.100.7", "198.51.100.0/24"),
        ("2001:db8:1:23ff:3::4", "2001:db8:1:2300::/56"),
        ("::ffff:198.51.100.7", "198.51.100.0/24"),
        ("fe80::1%eth0", "fe80::/56"),
        ("", "unknown"),
    ],
)
def test_S51_a_client_is_counted_by_its_network(peer: str, network: str) -> None:
    request = make_mocked_request("GET", "/").clone(remote=peer)

    assert ClientAddresses(()).of(request).network == network


REQUEST: Final = make_mocked_request("GET", "/")


def seen(peer: str, forwarded: str | None) -> Any:
    """Return a request: a copy of one, which takes a tenth of making another one."""
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return REQUEST.clone(remote=peer, headers=headers)


def test_S48_an_address_that_was_read_before_is_whose_it_was_for_that_peer_and_header_alone() -> None:
    addresses = ClientAddresses(("10.0.0.0/8",))
    asked: list[tuple[str, str | None]] = [
        ("10.0.0.2", "203.0.113.9"),
        ("10.0.0.2", "203.0.113.10"),
        ("198.51.100.7", "203.0.113.9"),
        ("10.0.0.2", None),
        ("10.0.0.2", ""),
    ]
    once = [addresses.of(seen(*each)).text for each in asked]

    assert once == ["203.0.113.9", "203.0.113.10", "198.51.100.7", "10.0.0.2", "10.0.0.2"]
    assert [addresses.of(seen(*each)).text for each in asked] == once


@pytest.mark.parametrize("sent", ["many peers", "many headers", "long headers"])
def test_S48_what_is_kept_of_addresses_has_an_end_and_who_is_forgotten_is_read_anew(sent: str) -> None:
    addresses = ClientAddresses(("10.0.0.0/8",))
    first = seen("10.0.0.2", "203.0.113.9")
    before = addresses.of(first)
    for number in range(5_000):
        last = f"198.18.{number // 250}.{number % 250}"
        if sent == "many peers":
            addresses.of(seen(last, None))
        else:
            addresses.of(seen("10.0.0.2", f"{'x, ' * 100 if sent == 'long headers' else ''}{last}"))

    assert addresses.kept <= (1 if sent == "long headers" else 4_096)
    assert addresses.of(first) == before


@pytest.mark.parametrize("forwarded", [None, "203.0.113.9"])
def test_an_address_that_was_read_before_costs_a_look(forwarded: str | None) -> None:
    addresses, request = ClientAddresses(("10.0.0.0/8",)), seen("10.0.0.2", forwarded)

    assert python_calls(lambda: addresses.of(request)) <= 4
