"""What host a `Host` field names (A8, S48)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from servicekit.http.host_field import host_of


@pytest.mark.parametrize(
    "field, host",
    [
        ("profile.example.com", "profile.example.com"),
        ("PROFILE.example.COM:8443", "profile.example.com"),
        ("localhost", "localhost"),
        ("localhost.", "localhost."),
        ("localhost:", "localhost"),
        ("127.0.0.1:65535", "127.0.0.1"),
        ("[::1]:3000", "::1"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("_prometheus._tcp.example", "_prometheus._tcp.example"),
        ("", ""),
    ],
)
def test_S48_a_host_is_read_with_and_without_a_port(field: str, host: str) -> None:
    assert host_of(field) == host


@given(st.text(max_size=40))
@example("evil@ours")
@example("ours\u2028")
@example("ours\n")
@example("٣.example")
@example("a:٣")
def test_A8_S48_whatever_is_read_as_a_host_is_nothing_but_a_host(field: str) -> None:
    host = host_of(field)

    if host is not None:
        assert not {*host} - {*"abcdefghijklmnopqrstuvwxyz0123456789-_.:"}
        assert field.lower().startswith((host, "["))
