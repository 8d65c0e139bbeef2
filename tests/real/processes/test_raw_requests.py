"""Requests that two readers may read in two ways, sent to the programs as bytes: one verdict, whichever parser reads.

Each service runs twice: with aiohttp's compiled parser, and with the one of Python.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from servicekit.http.compiled_parser import NO_COMPILED_PARSER
from tests.real.processes.running import running
from tests.real.processes.under_pressure import ROOT, SETTINGS
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.raw_corpus import ANSWERED, CANARY, COMPILED, HOST, NOT_FOUND, REFUSED

_BY_PYTHON: Final = {"AIOHTTP_NO_EXTENSIONS": "1"}
_NEXT: Final = b"GET /health/live?next HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
OF_EVERY_PAGE: Final = {
    b"content-security-policy": b"default-src 'none';",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"cache-control": b"no-store",
}
OF_THE_GATEWAY: Final = {
    **OF_EVERY_PAGE,
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-embedder-policy": b"require-corp",
    b"x-frame-options": b"DENY",
    b"permissions-policy": b"camera=()",
}


class Listener(NamedTuple):
    """One port of one program, and the headers that all of its answers have."""

    name: str
    port: int
    headers: dict[bytes, bytes]
    is_compiled: bool

    def ask(self, *requests: bytes) -> bytes:
        """Send requests, each when there was an answer to the one before; return all that comes until the other end."""
        whole = b""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection,
            # A reset: it closed before it read all, or has closed behind the answer before.
            contextlib.suppress(ConnectionResetError, BrokenPipeError),
        ):
            for number, request in enumerate(requests):
                connection.sendall(request.replace(HOST, b"localhost"))
                is_last = number == len(requests) - 1
                while (is_last or whole.count(b"HTTP/1.") <= number) and (piece := connection.recv(65_536)):
                    whole += piece
        return whole


@pytest.fixture(scope="module")
def listeners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Listener]]:
    """Run both services with each parser; the gateway with its operators' side."""
    with ExitStack() as programs:
        found = []
        for parser in ({}, _BY_PYTHON):
            place, beside = tmp_path_factory.mktemp("raw"), free_port()
            gateway = programs.enter_context(
                running("gateway", place, GATEWAY_ADMIN_PORT=str(beside), **parser)
            )
            api = programs.enter_context(running("resource_api", place, **parser))
            found += [
                Listener("gateway", gateway.port, OF_THE_GATEWAY, not parser),
                Listener("operators", beside, OF_EVERY_PAGE, not parser),
                Listener("resource_api", api.port, OF_EVERY_PAGE, not parser),
            ]
        yield found


def refused(listener: Listener, answer: bytes, status: int = 400) -> None:
    """Check an answer that must be a refusal, and the end of its connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    assert first.split(b" ")[1] == str(status).encode(), answer
    assert answer.count(b"HTTP/1.") == 1, "what comes behind it is no request"
    assert CANARY not in answer
    assert json.loads(body)["status"] == status
    assert headers[b"content-type"].startswith(b"application/problem+json")
    assert headers[b"connection"] == b"close"
    assert b"server" not in headers
    for name, value in listener.headers.items():
        assert headers[name].startswith(value), (listener.name, name)


@pytest.mark.parametrize("name", REFUSED)
def test_A8_S49_S53_what_two_readers_may_read_in_two_ways_is_refused_by_both_parsers(
    listeners: list[Listener], name: str
) -> None:
    for listener in listeners:
        refused(listener, listener.ask(REFUSED[name] + _NEXT))


@pytest.mark.parametrize("name", COMPILED)
def test_S49_the_compiled_parser_refuses_more(listeners: list[Listener], name: str) -> None:
    for listener in listeners:
        if listener.is_compiled:
            refused(listener, listener.ask(COMPILED[name] + _NEXT))


@pytest.mark.parametrize("name", ANSWERED)
def test_S49_what_is_plain_is_answered_by_both_parsers_and_so_is_what_follows(
    listeners: list[Listener], name: str
) -> None:
    is_last = b"HTTP/1.0" in ANSWERED[name]
    for listener in listeners:
        if listener.name == "operators":
            continue  # has no /health/live
        answer = listener.ask(ANSWERED[name], _NEXT)
        assert answer.count(b" 200 OK") == (1 if is_last else 2), (listener.name, answer)


@pytest.mark.parametrize("name", NOT_FOUND)
def test_S49_another_spelling_of_a_path_is_another_path(listeners: list[Listener], name: str) -> None:
    for listener in listeners:
        answer = listener.ask(NOT_FOUND[name] + _NEXT)
        assert answer.startswith(b"HTTP/1.1 404"), (listener.name, answer)
        assert b"server:" not in answer.lower()
        assert b"content-security-policy: default-src 'none'" in answer.lower()


@pytest.mark.parametrize(
    "request_bytes, status",
    [
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a:b\r\n" * 2_000 + b"\r\n", 431),
    ],
    ids=["an address without end", "a field without end", "fields without end"],
)
def test_A8_S53_what_is_too_large_to_be_read_is_refused_with_every_header(
    listeners: list[Listener], request_bytes: bytes, status: int
) -> None:
    for listener in listeners:
        if listener.is_compiled:  # that of Python cannot tell a field from an address
            refused(listener, listener.ask(request_bytes), status)


def test_A8_S53_an_expectation_that_is_none_is_refused_with_every_header(listeners: list[Listener]) -> None:
    for listener in listeners:
        for path in (b"/health/ready", b"/canary"):
            answer = listener.ask(
                b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nExpect: canary\r\n\r\n" + _NEXT
            )
            refused(listener, answer, 417)


@pytest.mark.parametrize("service", ["gateway", "resource_api"])
def test_S49_the_compiled_parser_is_required_where_the_true_authority_is(
    service: str, tmp_path: Path
) -> None:
    own = {name: text for name, text in SETTINGS[service].items() if not name.endswith("_AUTHORITY_MAP")}
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.defpath, **own, **_BY_PYTHON}

    ended = subprocess.run(
        [sys.executable, "-m", service],
        cwd=tmp_path,
        env={**environment, f"{service.upper()}_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (1, f"{NO_COMPILED_PARSER}\n")
