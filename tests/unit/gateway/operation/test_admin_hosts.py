"""By which names the operators' side may be asked (A8)."""

import socket

import pytest

from gateway.operation.admin_hosts import may_be_asked_by


@pytest.mark.parametrize(
    "name",
    [
        "127.0.0.1",
        "::1",
        "10.244.1.7",
        "2001:db8::7",
        "localhost",
        "localhost.",
        "gateway",
        "gateway-0",
        "gateway.stepup.svc",
        "gateway.stepup.svc.cluster.local",
        "host.docker.internal",
        "box.home.arpa",
        socket.gethostname().lower(),
    ],
)
def test_A8_operators_programs_ask_by_names_that_nobody_can_register(name: str) -> None:
    assert may_be_asked_by(name, ())


@pytest.mark.parametrize(
    "name",
    [
        "evil.example",
        "evil.example.",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "svc.evil.example",
        "home.arpa.evil.example",
        "7f000001.rebind.example",
        ".",
    ],
)
def test_A8_a_name_that_anybody_can_register_is_refused_unless_it_is_set(name: str) -> None:
    assert not may_be_asked_by(name, ("metrics.example.com",))
    assert may_be_asked_by("metrics.example.com.", ("metrics.example.com",))
