"""A `curl` where the computer has none: as much of it as the documentation uses, so that its commands run everywhere.

Owns the options that stand on our pages, and refuses every other one. With a curl of the computer's own, tests take
that, which is the better witness; tests/unit/test_curl.py runs both and compares.
Never checks a cookie's attributes but for its end, as everything here is on this computer.
"""

import argparse
import http.client
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_AS_GET: Final = (301, 302, 303)
_AS_IT_WAS: Final = (307, 308)
_MOST_REDIRECTS: Final = 50


def path_with_curl(folder: Path, path: str) -> str:
    """Return a search path that leads to a curl: `path`, or one with `folder` before it, where this one lies then."""
    if shutil.which("curl", path=path):
        return path
    return f"{stand_in(folder).parent}:{path}"


def stand_in(folder: Path) -> Path:
    """Write a program that runs this module; return where it is."""
    program = folder / "programs" / "curl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" "$@"\n', "utf-8")
    program.chmod(0o755)
    return program


class _Jar:
    """Cookies by host, whatever the port; in a file where one is named."""

    def __init__(self, given: str | None) -> None:
        self._lines = [given] if given and "=" in given else []
        file = Path(given) if given and not self._lines else None
        self._hosts: dict[str, dict[str, str]] = (
            json.loads(file.read_text("utf-8")) if file and file.is_file() else {}
        )

    def header(self, host: str) -> str:
        pairs = (f"{name}={value}" for name, value in self._hosts.get(host, {}).items())
        return "; ".join([*self._lines, *pairs])

    def take(self, host: str, lines: list[str]) -> None:
        for line in lines:
            pair, *attributes = line.split(";")
            name, _, value = pair.strip().partition("=")
            kept = self._hosts.setdefault(host, {})
            if any(one.strip().lower() == "max-age=0" for one in attributes):
                kept.pop(name, None)
            else:
                kept[name] = value

    def write(self, file: str) -> None:
        Path(file).write_text(json.dumps(self._hosts), "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="curl", allow_abbrev=False)
    for flag in ("-s", "-S", "-N", "-L"):
        parser.add_argument(flag, action="store_true")
    for name, option in (("cookie", "-b"), ("jar", "-c"), ("output", "-o"), ("write", "-w"), ("heads", "-D")):
        parser.add_argument(option, dest=name)
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    parser.add_argument("--json", dest="json")
    parser.add_argument("--data-urlencode", dest="fields", action="append", default=[])
    parser.add_argument("url")
    return parser.parse_args()


def _usual() -> str:
    """Return what is written after each answer, by the one line that a `.curlrc` of ours has."""
    settings = Path(os.environ.get("CURL_HOME", "")) / ".curlrc"
    text = settings.read_text("utf-8") if "CURL_HOME" in os.environ and settings.is_file() else ""
    return text.removeprefix('write-out = "').removesuffix('"\n')


def _headers(options: argparse.Namespace) -> dict[str, str]:
    """Return what is sent beside the cookies; names that are given go before our own."""
    headers = {"User-Agent": "curl/8.0.0", "Accept": "*/*"}
    if options.json is not None:
        headers |= {"Content-Type": _JSON, "Accept": _JSON}
    elif options.data is not None or options.fields:
        headers["Content-Type"] = _FORM
    given = dict(line.split(": ", maxsplit=1) for line in options.headers)
    own = {name: text for name, text in headers.items() if name.lower() not in {one.lower() for one in given}}
    return own | given


def _body(options: argparse.Namespace) -> str | None:
    if options.fields:
        pairs = (field.split("=", maxsplit=1) for field in options.fields)
        return "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
    body: str | None = options.data if options.json is None else options.json
    return body


def main() -> None:
    """Ask as the command line says, and say what came."""
    options = _options()
    jar = _Jar(options.cookie)
    headers, body = _headers(options), _body(options)
    method = options.method or ("GET" if body is None else "POST")
    url, heads = options.url, ""
    for _ in range(_MOST_REDIRECTS):
        parts = urlsplit(url)
        host = parts.hostname or ""
        connection = http.client.HTTPConnection(host, parts.port)
        sent = headers | ({"Cookie": cookies} if (cookies := jar.header(host)) else {})
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request(method, target, None if body is None else body.encode(), sent)
        answer = connection.getresponse()
        content = answer.read()
        jar.take(host, answer.headers.get_all("Set-Cookie", []))
        lines = "".join(f"{name}: {value}\r\n" for name, value in answer.getheaders())
        heads += f"HTTP/1.1 {answer.status} {answer.reason}\r\n{lines}\r\n"
        where = answer.headers.get("Location")
        if not options.L or where is None or answer.status not in _AS_GET + _AS_IT_WAS:
            break
        url = urljoin(url, where)
        if answer.status in _AS_GET:
            method, body = options.method or "GET", None
            headers.pop("Content-Type", None)
    if options.jar:
        jar.write(options.jar)
    if options.heads:
        Path(options.heads).write_text(heads, "utf-8", newline="")
    if options.output:
        Path(options.output).write_bytes(content)
    else:
        sys.stdout.buffer.write(content)
    written = (options.write or _usual()).replace("%{http_code}", str(answer.status))
    sys.stdout.buffer.write(written.replace("%{url_effective}", url).replace(r"\n", "\n").encode())


if __name__ == "__main__":
    main()
