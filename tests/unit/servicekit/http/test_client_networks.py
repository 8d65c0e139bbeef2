"""Which network a connection is counted with (A3)."""

import pytest

from servicekit.http.client_networks import ClientNetworks


@pytest.mark.parametrize(
    "peer, network",
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:22ab::7", "2001:db8:1:2200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
    ],
)
def test_A3_S52_a_peer_is_counted_with_its_network(peer: str, network: str) -> None:
    assert ClientNetworks().of(peer) == network


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::5"])
def test_A3_S52_our_own_proxies_have_no_network_for_all_clients_are_behind_them(peer: str) -> None:
    networks = ClientNetworks(["10.0.0.0/8", "2001:db8::5"])

    assert networks.of(peer) is None
    assert networks.of("192.0.2.7") == "192.0.2.0/24"


@pytest.mark.parametrize("peer", ["", "unknown", "/run/gateway.sock"])
def test_A3_what_has_no_address_has_no_network(peer: str) -> None:
    assert ClientNetworks().of(peer) is None
