"""A proxy that nobody named is noticed, and a stranger who sends its header is none."""

import logging

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.edge.client_address import ClientAddresses
from gateway.edge.proxy_watch import FEWEST_REQUESTS, WINDOW_SECONDS, ProxyWatch
from gateway.metrics import Metrics
from tests.stage.python_calls import python_calls
from tests.stage.tenant import MovableClock


class Scene:
    """A watch, and what it told."""

    def __init__(self, *trusted: str) -> None:
        self.clock = MovableClock(1000.0)
        self.metrics = Metrics()
        self.found: list[str] = []
        self.watch = ProxyWatch(
            ClientAddresses(trusted).is_trusted,
            now=self.clock,
            counts=self.metrics,
            on_found=self.found.append,
        )

    def see(self, peer: str, times: int, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        seen = make_mocked_request("GET", "/", headers=named).clone(remote=peer)
        for _ in range(times):
            self.watch.see(seen)

    def is_shown(self) -> bool:
        return b"stepup_untrusted_proxy 1.0" in self.metrics.drawn()


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "X_Real_IP"])
def test_A5_a_proxy_by_which_all_traffic_comes_is_told_once(
    header: str, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene()
    with caplog.at_level(logging.WARNING):
        scene.see("10.0.0.7", FEWEST_REQUESTS - 1, **{header: "203.0.113.9"})
        assert (scene.found, scene.is_shown()) == ([], False)
        scene.see("10.0.0.7", 200, **{header: "203.0.113.9"})
        scene.clock.now += WINDOW_SECONDS
        scene.see("10.0.0.7", 200, **{header: "203.0.113.9"})

    assert scene.found == ["10.0.0.7"] * 2, "noted anew in each window, so that the note does not end"
    assert [record.getMessage() for record in caplog.records] == ["untrusted-proxy"]
    assert scene.is_shown()


def test_A5_a_proxy_that_is_trusted_is_none_of_it() -> None:
    scene = Scene("10.0.0.0/8")
    scene.see("10.0.0.7", 500, X_Forwarded_For="203.0.113.9")

    assert not scene.found


def test_A5_a_stranger_among_others_is_no_proxy() -> None:
    scene = Scene()
    for number in range(200):
        scene.see(f"198.51.100.{number}", 1)
        scene.see("203.0.113.9", 5, X_Forwarded_For="10.0.0.1")

    assert not scene.found


def test_A5_requests_without_the_header_are_no_proxy_s() -> None:
    scene = Scene()
    scene.see("127.0.0.1", 500)

    assert not scene.found


def test_A5_a_proxy_that_was_named_meanwhile_is_shown_no_more() -> None:
    scene = Scene()
    scene.see("10.0.0.7", 100, X_Forwarded_For="203.0.113.9")
    scene.clock.now += WINDOW_SECONDS
    scene.see("198.51.100.7", 100)
    scene.clock.now += WINDOW_SECONDS
    scene.see("198.51.100.7", 1)

    assert not scene.is_shown()


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "203.0.113.9"}])
def test_a_look_at_a_request_costs_a_few_calls(headers: dict[str, str]) -> None:
    scene = Scene("10.0.0.0/8")
    seen = make_mocked_request("GET", "/", headers=headers).clone(remote="10.0.0.7")

    assert python_calls(lambda: scene.watch.see(seen)) <= 6
