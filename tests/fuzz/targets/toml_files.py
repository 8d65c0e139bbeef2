"""Configuration in TOML. Another file's reader is one more line of `READERS`."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from gateway.upstream_rows.reading import upstream_rows
from local_tenant.configuration import BUNDLED, ConfigurationError, load
from servicekit.settings_faults import FaultsWithin
from tests.fuzz.target import Target

_VALUES: Final = {
    "GATEWAY_URL": "http://localhost:3000",
    "GATEWAY_SECRET": "the-gateways-secret",
    "GATEWAY_CERTIFICATE": "",
    "API_SECRET": "the-apis-secret",
    "API_CERTIFICATE": "",
}

_UPSTREAMS: Final = b"""[[upstream]]
name = "notes"
prefix = "/api/notes"
target = "https://notes.example/v1"
methods = ["GET", "PATCH"]
scope = "api://notes.example/Notes"
park = true
reads = "/api/notes"
request_headers = ["X-Notebook"]
timeout = 2.5
"""


class Reader(NamedTuple):
    """One kind of file: what reads it, what it raises over it, and an example."""

    name: str
    read: Callable[[Path], Any]
    fault: type[Exception]
    example: bytes
    words: tuple[bytes, ...]


READERS: Final = (
    Reader(
        "tenant-toml",
        lambda path: load(path, _VALUES),
        ConfigurationError,
        BUNDLED.read_bytes(),
        (
            b"[[apps]]\n",
            b"[[people]]\n",
            b"[tenant]\n",
            b"${GATEWAY_SECRET}",
            b"${NOBODY}",
            b"secrets = ",
            b"policies",
        ),
    ),
    Reader(
        "upstreams-toml",
        lambda path: upstream_rows(str(path)),
        FaultsWithin,
        _UPSTREAMS,
        (
            b"[[upstream]]\n",
            b"name = ",
            b"prefix = ",
            b'"/api/notes"',
            b"target = ",
            b'"https://user:word@notes.example"',
            b"?code=word",
            b"methods = ",
            b'["GET"]',
            b"scope = ",
            b"timeout = ",
            b"park = true\n",
            b"reads = ",
            b"request_headers = ",
        ),
    ),
)
_WORDS: Final = (
    *(
        b"\n",
        b"[",
        b"]",
        b"[[",
        b"]]",
        b"=",
        b".",
        b"{",
        b"}",
        b'"',
        b'"""',
        b"'",
        b"'''",
        b"#",
        b"\\",
        b"\\u",
        b"\\U0011",
    ),
    *(
        b"true",
        b"nan",
        b"inf",
        b"1979-05-27T07:32:00Z",
        b"0x",
        b"1e999",
        b"a = 1\n",
        b"a.b.c = 1\n",
        b"[" * 2_000,
        b"\xff",
    ),
    *(b"a." * 2_000, b"9" * 5_000, b"{a=" * 500, b"\0", b"\r"),
)


def _check(reader: Reader, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        path = Path(file.name)
        try:
            first = reader.read(path)
        except reader.fault as fault:
            assert str(fault)
            assert "the-gateways-secret" not in str(fault)
            return
        assert reader.read(path) == first


TARGETS: Final = tuple(
    Target(
        reader.name,
        "a file is used, or every fault of it is told, and no secret",
        partial(_check, reader),
        (*_WORDS, *reader.words),
        made=[reader.example],
    )
    for reader in READERS
)
