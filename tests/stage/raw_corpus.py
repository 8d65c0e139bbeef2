"""Requests of which two readers may make two different things, byte by byte (S49).

Owns the rows and what becomes of each: refused with 400 and the end of the connection, or answered. `HOST` stands for
the host that is ours. What follows on the same connection must never be taken for a request of its own.
"""

from typing import Final

HOST: Final = b"{HOST}"
CANARY: Final = b"canary"
"""Stands in what must not be echoed."""
_FIELDS: Final = b"Host: {HOST}\r\nX-CSRF: 1\r\n"


def _get(*, target: bytes = b"/health/live", fields: bytes = _FIELDS, version: bytes = b"HTTP/1.1") -> bytes:
    return b"GET " + target + b" " + version + b"\r\n" + fields + b"\r\n"


def _post(fields: bytes, body: bytes = b"", *, version: bytes = b"HTTP/1.1") -> bytes:
    return b"POST /auth/sign-out " + version + b"\r\n" + _FIELDS + fields + b"\r\n" + body


def _chunked(body: bytes) -> bytes:
    return _post(b"Transfer-Encoding: chunked\r\n", body)


_LAST: Final = b"0\r\n\r\n"

FRAMING: Final = {
    "a length before chunks": _post(b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", _LAST + b"c"),
    "a length behind chunks": _post(b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", _LAST),
    "chunked and identity": _post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", _LAST),
    "chunked twice": _post(b"Transfer-Encoding: chunked, chunked\r\n", _LAST),
    "chunked in two fields": _post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", _LAST),
    "almost chunked": _post(b"Transfer-Encoding: xchunked\r\n", _LAST),
    "quoted chunked": _post(b'Transfer-Encoding: "chunked"\r\n', _LAST),
    "chunked behind a vertical tab": _post(b"Transfer-Encoding: \x0bchunked\r\n", _LAST),
    "a space before the colon": _post(b"Transfer-Encoding : chunked\r\n", _LAST),
    "a compressed body without chunks": _post(b"Transfer-Encoding: gzip\r\n"),
    "a compressed body in chunks": _post(b"Transfer-Encoding: gzip, chunked\r\n", _LAST),
    "an empty coding": _post(b"Transfer-Encoding: \r\n"),
    "chunks in HTTP/1.0": _post(b"Transfer-Encoding: chunked\r\n", _LAST, version=b"HTTP/1.0"),
    "two lengths": _post(b"Content-Length: 0\r\nContent-Length: 5\r\n", b"canary"),
    "one length twice": _post(b"Content-Length: 0\r\nContent-Length: 0\r\n"),
    "a list of lengths": _post(b"Content-Length: 0, 0\r\n"),
    "a length with a sign": _post(b"Content-Length: +0\r\n"),
    "a length below nothing": _post(b"Content-Length: -1\r\n"),
    "a length in hexadecimal": _post(b"Content-Length: 0x0\r\n"),
    "a length with an underscore": _post(b"Content-Length: 1_0\r\n", b"0123456789"),
    "an empty length": _post(b"Content-Length:\r\n"),
    "a length beyond counting": _post(b"Content-Length: 99999999999999999999999\r\n"),
    "a chunk without a size": _chunked(b"zz\r\nc\r\n" + _LAST),
    "a chunk's size with 0x": _chunked(b"0x1\r\nc\r\n" + _LAST),
    "a chunk's size below nothing": _chunked(b"-1\r\nc\r\n" + _LAST),
    "a chunk's size with an underscore": _chunked(b"1_0\r\n0123456789abcdef\r\n" + _LAST),
    "a chunk's size with a space": _chunked(b"1 \r\nc\r\n" + _LAST),
    "a chunk that is longer than it says": _chunked(b"1\r\ncanary\r\n" + _LAST),
    "chunks that end in a bare LF": _chunked(b"1\nc\n0\n\n"),
    "a chunk's extension with a bare LF": _chunked(b"1;a\nb\r\nc\r\n" + _LAST),
}

HEADS: Final = {
    "two hosts": _get(fields=b"Host: {HOST}\r\nHost: canary\r\n"),
    "one host twice": _get(fields=b"Host: {HOST}\r\nHost: {HOST}\r\n"),
    "no host": _get(fields=b"X-CSRF: 1\r\n"),
    "a bare LF behind the first line": b"GET /health/live HTTP/1.1\n" + _FIELDS + b"\r\n",
    "a bare LF behind a field": _get(fields=b"Host: {HOST}\nX-CSRF: 1\r\n"),
    "bare LF alone": b"GET /health/live HTTP/1.1\nHost: {HOST}\n\n",
    "a bare CR in a field": _get(fields=b"Host: {HOST}\r\nX-A: a\rX-B: canary\r\n"),
    "a folded field": _get(fields=b"Host: {HOST}\r\nX-A: a\r\n canary\r\n"),
    "a folded first field": _get(fields=b" Host: {HOST}\r\n"),
    "a field without a colon": _get(fields=_FIELDS + b"canary\r\n"),
    "a field without a name": _get(fields=_FIELDS + b": canary\r\n"),
    "a name with a space": _get(fields=_FIELDS + b"X A: canary\r\n"),
    "a name beyond ASCII": _get(fields=_FIELDS + b"X\xffA: canary\r\n"),
    "a name with a NUL": _get(fields=_FIELDS + b"X-A\x00: canary\r\n"),
    "a value with a NUL": _get(fields=_FIELDS + b"X-A: canary\x00b\r\n"),
    "HTTP/0.9 with an empty line": b"GET /health/live\r\n\r\n",
    "HTTP/1.2": _get(version=b"HTTP/1.2"),
    "HTTP/2.0 in the words of HTTP/1": _get(version=b"HTTP/2.0"),
    "HTTP/9.9": _get(version=b"HTTP/9.9"),
    "HTTP/01.1": _get(version=b"HTTP/01.1"),
    "a version in small letters": _get(version=b"http/1.1"),
    "a space behind the version": _get(version=b"HTTP/1.1 "),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a header of a proxy's own protocol": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + _get(),
    "a method that is no token": b"G@T /health/live HTTP/1.1\r\n" + _FIELDS + b"\r\n",
    "tabs for spaces": b"GET\t/health/live\tHTTP/1.1\r\n" + _FIELDS + b"\r\n",
}

TARGETS: Final = {
    f"the target {target!r}": _get(target=target)
    for target in (
        b"",
        b"*",
        b"health/live",
        b"@canary/",
        b".canary/",
        b"{HOST}:80",
        b"/health/live#canary",
        b"/health/live?#canary",
        b"/health/live\x00",
        b"/health/live\xff",
        "/health/lïve".encode(),
        b"http://canary/health/live",
        b"http://canary@{HOST}/health/live",
        b"http://{HOST}:99999/health/live",
        b"http:///health/live",
        b"file:///canary",
        b"javascript:canary",
    )
} | {
    "a tunnel": b"CONNECT {HOST}:80 HTTP/1.1\r\nHost: {HOST}:80\r\n\r\n",
    "a tunnel to somebody else": b"CONNECT canary:443 HTTP/1.1\r\nHost: canary:443\r\n\r\n",
    "a whole address and another host": _get(target=b"http://{HOST}/", fields=b"Host: canary\r\n"),
}

HOSTS: Final = {
    f"the host {host!r}": _get(fields=b"Host: " + host + b"\r\n")
    for host in (
        b"canary@{HOST}",
        b"canary:pw@{HOST}",
        b"{HOST}@canary",
        b"{HOST}/",
        b"{HOST}/canary",
        b"{HOST}#canary",
        b"{HOST}?canary",
        b"{HOST}\\canary",
        b"{HOST} canary",
        b"{HOST},canary",
        b"{HOST};canary",
        b"{HOST}:0",
        b"{HOST}:99999",
        b"{HOST}:canary",
        b"{HOST}:80:80",
        b"%6c{HOST}",
        b".{HOST}",
        b"{HOST}..",
        b"*",
        b"..",
        b"::1",
        b"[::1",
        b"[::1]canary",
        b"[::1]:canary",
        b"[canary]",
        b"[v1.canary]",
        b"[fe80::1%25eth0]",
        "lócalhost".encode(),
        b"c" * 300,
    )
}

REFUSED: Final = FRAMING | HEADS | TARGETS | HOSTS

ANSWERED: Final = {
    "a plain request": _get(),
    "an empty line before it": b"\r\n\r\n" + _get(),
    "a whole address": _get(target=b"http://{HOST}/health/live"),
    "a host in capitals, with a port": _get(fields=b"HOST: {HOST}:8443\r\n"),
    "blanks around the host": _get(fields=b"Host: \t{HOST} \t\r\n"),
    "HTTP/1.0 without a host, as balancers ask": _get(fields=b"", version=b"HTTP/1.0"),
    "a value beyond ASCII": _get(fields=_FIELDS + b"X-A: \xff\r\n"),
    "a query without an end": _get(target=b"/health/live?%zz"),
    "a question for another protocol": _get(fields=_FIELDS + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"),
    "letters that are spelled out": _get(target=b"/health/%6cive"),
}
"""Answered with 200, and the next request behind it as well, but behind HTTP/1.0."""

NOT_FOUND: Final = {
    f"the path {path!r}": _get(target=path)
    for path in (
        b"/health/live;x",
        b"//health/live",
        b"/health//live",
        b"/health%2flive",
        b"/health/%2e/live",
        b"/./health/live",
        b"/x/../health/live",
        b"/health/live.",
        b"/health/live%00",
        b"/health/live%20",
        b"/health/live%3fx",
        b"/health/live%23x",
        b"/HEALTH/live",
        b"/health\\live",
        b"/health/live/..",
        b"/%",
        b"/..%2f..%2fetc/passwd",
        b"/%2e%2e/gateway/app.py",
        b"/css/..%5c..%5cREADME.md",
    )
}

COMPILED: Final = {
    "a chunk's size beyond counting": _chunked(b"ffffffffffffffffffff\r\nc\r\n" + _LAST),
    "a chunk's extension with a bare CR": _chunked(b"1;a\rb\r\nc\r\n" + _LAST),
    "a method that nobody knows": b"FROB /health/live HTTP/1.1\r\n" + _FIELDS + b"\r\n",
    "a method in small letters": b"get /health/live HTTP/1.1\r\n" + _FIELDS + b"\r\n",
    "a greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(80),
    "a greeting of SSH": b"SSH-2.0-canary\r\n",
}
"""Refused by the compiled parser alone, which is therefore the one for production; that of Python waits for more, or
reads another number than the next reader."""
