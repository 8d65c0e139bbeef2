"""The stand-in for curl says and sends what curl does, for every option that our pages use."""

import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.stage.curl import path_with_curl, stand_in
from tests.stage.patience import PATIENCE
from tests.stage.sources import ROOT

# As they stand on our pages, one after the other; each begins with the cookies that the one before left.
COMMANDS: Final = (
    '-s "$URL/plain"',
    '-s -X DELETE "$URL/plain" -H "X-CSRF: 1" -b "one=1"',
    '-sN "$URL/plain?a=b&c=%20" -H "Accept: application/json"',
    """-s -X PATCH "$URL/plain" -H "Content-Type: application/merge-patch+json" -d '{"city": null}'""",
    """-sS -b cookies -c cookies -X PATCH "$URL/sets" --json '{"a": 1}'""",
    '-sS -b cookies -c cookies -X POST "$URL/plain"',
    '-sS -L -b cookies -c cookies -o page -w "%{url_effective}" "$URL/leads"',
    """-sS -L -b cookies -c cookies --data-urlencode "a=1 &ä" --data-urlencode 'b=c=d' "$URL/leads" """,
    '-sS -L -b cookies -c cookies --data-urlencode a=b "$URL/leads-on"',
    '-sS -b cookies -c cookies "$URL/forgets"',
    '-sS -b cookies -c cookies -D heads "$URL/plain"',
    '-s -o page -w "%{http_code}" "$URL/missing"',
)


class _Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        # The order of cookies is each program's own affair.
        cookies = "; ".join(sorted(self.headers.get("Cookie", "").split("; ")))
        told = {"cookie": cookies} | {
            name: self.headers.get(name) for name in ("accept", "content-type", "x-csrf")
        }
        kept = sorted(f"{name}: {value}" for name, value in told.items() if value)
        asked = "\n".join([f"{self.command} {self.path}", *kept, self.rfile.read(length).decode()]).encode()
        status, lines = {
            "/sets": (200, [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/; HttpOnly")]),
            "/forgets": (200, [("Set-Cookie", "a=; Path=/; Max-Age=0")]),
            "/leads": (303, [("Location", "/plain?led"), ("Set-Cookie", "c=3; Path=/")]),
            "/leads-on": (307, [("Location", "/plain?on")]),
            "/missing": (404, []),
        }.get(self.path, (200, [("ETag", '"1"')]))
        self.send_response(status)
        for name, value in lines:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(asked)))
        self.end_headers()
        self.wfile.write(asked)

    def do_POST(self) -> None:
        self.do_GET()

    def do_PATCH(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def echoing() -> Iterator[str]:
    """Serve the echo; give its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def said_by(program: Path, folder: Path, url: str) -> list[str]:
    """Run the commands with a curl; return what each said, and what the last ones wrote."""
    folder.mkdir()
    (folder / ".curlrc").write_text('write-out = "\\n%{http_code}"\n', "utf-8")
    said = []
    for command in COMMANDS:
        done = subprocess.run(
            ["bash", "-euc", f'"{program}" {command}'],
            cwd=folder,
            env={"URL": url, "PATH": "/usr/local/bin:/usr/bin:/bin", "CURL_HOME": str(folder)},
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
        said.append(done.stdout.replace(url, "URL"))
    heads = (folder / "heads").read_text("utf-8").splitlines()
    return [*said, (folder / "page").read_text("utf-8"), heads[0], *[one for one in heads if "ETag" in one]]


EXPECTED: Final = [
    "GET /plain\naccept: */*\n\n200",
    "DELETE /plain\naccept: */*\ncookie: one=1\nx-csrf: 1\n\n200",
    "GET /plain?a=b&c=%20\naccept: application/json\n\n200",
    'PATCH /plain\naccept: */*\ncontent-type: application/merge-patch+json\n{"city": null}\n200',
    'PATCH /sets\naccept: application/json\ncontent-type: application/json\n{"a": 1}\n200',
    "POST /plain\naccept: */*\ncookie: a=1; b=2\n\n200",
    "URL/plain?led",
    "GET /plain?led\naccept: */*\ncookie: a=1; b=2; c=3\n\n200",
    "POST /plain?on\naccept: */*\ncontent-type: application/x-www-form-urlencoded\ncookie: a=1; b=2; c=3\na=b\n200",
    "GET /forgets\naccept: */*\ncookie: a=1; b=2; c=3\n\n200",
    "GET /plain\naccept: */*\ncookie: b=2; c=3\n\n200",
    "404",
    "GET /missing\naccept: */*\n",
    "HTTP/1.1 200 OK",
    'ETag: "1"',
]


def test_the_stand_in_says_and_sends_what_curl_does(tmp_path: Path) -> None:
    installed = shutil.which("curl")
    programs = {"stand-in": stand_in(tmp_path)} | ({"curl": Path(installed)} if installed else {})
    with echoing() as url:
        for name, program in programs.items():
            assert said_by(program, tmp_path / name, url) == EXPECTED, name


def test_a_path_without_curl_leads_to_the_stand_in_and_another_one_stays(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    without = path_with_curl(tmp_path, str(tmp_path / "none"))

    assert shutil.which("curl", path=without) == str(tmp_path / "programs" / "curl")
    assert path_with_curl(tmp_path, without) == without


def test_an_option_that_no_page_uses_is_refused(tmp_path: Path) -> None:
    done = subprocess.run([stand_in(tmp_path), "--insecure", "http://x"], capture_output=True, check=False)

    assert done.returncode == 2
    assert b"--insecure" in done.stderr


def test_no_test_needs_curl() -> None:
    needing = [
        str(path.relative_to(ROOT))
        for path in ROOT.glob("tests/**/test_*.py")
        if path != Path(__file__) and 'which("curl")' in path.read_text("utf-8")
    ]
    assert needing == []
