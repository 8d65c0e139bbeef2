"""Which networks an address belongs to."""

import pytest

from servicekit.networks import network_of, read_address, wide_network_of


@pytest.mark.parametrize(
    "text, network, wide",
    [
        ("198.51.100.7", "198.51.100.0/24", "198.51.0.0/16"),
        (" 198.51.100.7 ", "198.51.100.0/24", "198.51.0.0/16"),
        ("2001:db8:1:23ff:3::4", "2001:db8:1:2300::/56", "2001:db8:1::/48"),
        ("::ffff:198.51.100.7", "198.51.100.0/24", "198.51.0.0/16"),
        ("198.51.100", "unknown", "unknown"),
        ("", "unknown", "unknown"),
        (None, "unknown", "unknown"),
    ],
)
def test_S51_an_address_belongs_to_a_network_and_a_wide_one(
    text: str | None, network: str, wide: str
) -> None:
    address = read_address(text)

    assert (network_of(address), wide_network_of(address)) == (network, wide)
