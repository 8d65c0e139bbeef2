"""Addresses of this computer that count as networks of their own.

Owns that a test which needs several is skipped where the system has but one: Linux has all of 127.0.0.0/8, macOS only
those that somebody adds.
"""

import socket

import pytest


def loopback_addresses(count: int) -> list[str]:
    """Return so many addresses, each in a /24 of its own; the first is 127.0.0.1."""
    addresses = [f"127.0.{number}.1" for number in range(count)]
    for address in addresses:
        try:
            with socket.socket() as probe:
                probe.bind((address, 0))
        except OSError:
            pytest.skip(
                "this system has one loopback address, and the test is about clients of several networks"
            )
    return addresses
