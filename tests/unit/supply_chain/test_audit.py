"""An audit that passed something over has failed: the real pip-audit, with advisories of the tests' own."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from supply_chain.audit import Report, audit, npm_verdict, python_verdict, told
from supply_chain.locks import DEVELOPMENT
from tests.stage.ports import free_port

LOCKED = {"idna": "3.20", "certifi": "2026.10.18"}
ADVISORY = {
    "id": "TEST-2026-1",
    "summary": "a planted flaw",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "certifi"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9999.1"}]}],
        }
    ],
}


@contextmanager
def collection(*, bad: str = "", status: int = 200) -> Iterator[str]:
    """Serve advisories in OSV's form, one of them against a package; give the address."""

    class Collection(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = [ADVISORY] if asked["package"]["name"] == bad else []
            body = json.dumps({"vulns": known} if known else {}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collection)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a working copy that locks two packages."""
    lines = [f"{name}=={version} --hash=sha256:{'0' * 64}" for name, version in LOCKED.items()]
    (tmp_path / DEVELOPMENT).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_A7_S58_nothing_known_about_everything_that_is_locked_is_the_only_success(root: Path) -> None:
    with collection() as url:
        verdict = audit(root, osv_url=url, npm=False)

    assert (verdict.status, verdict.asked) == (0, 2), told(verdict)
    assert told(verdict) == ["2 packages were asked about: nothing is known against them."]


def test_A7_S58_a_planted_flaw_fails_the_audit_by_its_name(root: Path) -> None:
    with collection(bad="certifi") as url:
        verdict = audit(root, osv_url=url, npm=False)

    assert verdict.status == 1
    assert verdict.bad == ("certifi 2026.10.18: TEST-2026-1, mended in 9999.1.",)


def test_A7_S58_a_source_that_is_not_there_fails_the_audit_with_its_reason(root: Path) -> None:
    verdict = audit(root, osv_url=f"http://127.0.0.1:{free_port()}/v1/query", npm=False)

    assert verdict.status == 2
    assert "the audit is incomplete" in told(verdict)[-1]
    assert any("onnect" in line for line in verdict.unasked), verdict


def test_A7_S58_a_source_that_answers_something_else_fails_the_audit(root: Path) -> None:
    with collection(status=405) as url:
        verdict = audit(root, osv_url=url, npm=False)

    assert verdict.status == 2
    assert verdict.unasked


def reported(**entries: dict[str, Any]) -> Report:
    """Return what pip-audit writes."""
    return Report(
        0,
        json.dumps(
            {"dependencies": [{"name": name, **entry} for name, entry in entries.items()], "fixes": []}
        ),
    )


CLEAN: dict[str, Any] = {name: {"version": version, "vulns": []} for name, version in LOCKED.items()}


def test_A7_S58_M25_what_was_passed_over_is_no_success_though_pip_audit_ends_with_0() -> None:
    """Without a source pip-audit reports every package as skipped, and says that nothing is known."""
    everything = reported(**{name: {"skip_reason": "not found"} for name in LOCKED})
    one = reported(**{**CLEAN, "idna": {"skip_reason": "not found on the index"}})

    assert python_verdict(everything, LOCKED).status == 2
    assert python_verdict(one, LOCKED).unasked == ("idna was passed over: not found on the index",)
    assert python_verdict(reported(**CLEAN), LOCKED).status == 0


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(reported(idna=CLEAN["idna"]), id="a package is missing"),
        pytest.param(reported(**{**CLEAN, "idna": {"version": "3.19", "vulns": []}}), id="another version"),
        pytest.param(Report(0, json.dumps({"dependencies": []})), id="nothing was asked about"),
        pytest.param(Report(0, ""), id="no report"),
        pytest.param(Report(0, "No known vulnerabilities found"), id="a sentence instead"),
        pytest.param(Report(0, "[]"), id="another form"),
        pytest.param(Report(127, "", "pip_audit is not installed"), id="not installed"),
        pytest.param(Report(1, reported(**CLEAN).text, "a warning"), id="it failed without a finding"),
        pytest.param(Report(-9, reported(**CLEAN).text), id="it was killed"),
    ],
)
def test_A7_S58_a_report_that_is_not_whole_fails_the_audit(report: Report) -> None:
    assert python_verdict(report, LOCKED).status == 2


@pytest.mark.parametrize(
    "report, status",
    [
        (Report(0, '{"metadata": {"dependencies": {"total": 7}}, "vulnerabilities": {}}'), 0),
        (Report(0, '{"metadata": {"dependencies": {"total": 0}}, "vulnerabilities": {}}'), 2),
        (Report(0, '{"metadata": {"dependencies": {"total": 8}}, "vulnerabilities": {}}'), 2),
        (Report(1, '{"error": {"code": "ENOAUDIT", "summary": "405 Method Not Allowed"}}'), 2),
        (Report(1, "", "405 Method Not Allowed"), 2),
        (
            Report(
                1,
                '{"metadata": {"dependencies": {"total": 7}}, "vulnerabilities": '
                '{"left-pad": {"severity": "high", "via": [{"title": "a planted flaw"}, "other"]}}}',
            ),
            1,
        ),
    ],
)
def test_A7_S58_npm_s_report_is_judged_as_strictly(report: Report, status: int) -> None:
    assert npm_verdict(report, 7).status == status
