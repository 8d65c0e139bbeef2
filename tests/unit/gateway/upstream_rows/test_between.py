"""What members, rows and other settings do not allow each other."""

from pathlib import Path
from typing import Final

import pytest

from tests.unit.gateway.upstream_rows.rows_of_tests import Told, row, rows_of

SCOPE: Final = '"api://a.example/R"'
TWO: Final = row()


@pytest.mark.parametrize(
    "text, says",
    [
        (row(target='"http://notes.example"'), "which is plain http to another machine"),
        (row(target='"http://notes"'), "which is plain http to another machine"),
        (row(target='"http://192.168.0.7:8080"'), "which is plain http to another machine"),
        (row(target='"http://localhost.example"'), "which is plain http to another machine"),
        (row(max_age="300"), "max_age is set, and scope is not"),
        (row(park="true"), "park is set, and scope is not"),
        (row(reads='"/api/notes"'), "reads is set, and scope is not"),
        (row(reads='"/api/notes"', scope=SCOPE), "reads is set, and park is not"),
        (row(websocket="true", methods='["HEAD"]'), "websocket is true, and methods lacks GET"),
        (TWO + row(name='"others"'), "prefix is '/api/notes', as of row 1 (notes), and both have GET, HEAD"),
        (
            row(methods='["GET", "PATCH"]') + row(name='"others"', methods='["PATCH"]'),
            "as of row 1 (notes), and both have PATCH",
        ),
        (TWO + row(name='"others"', prefix='"/api/Notes"'), "differs from that of row 1 (notes) in capitals only"),
        (TWO + row(prefix='"/api/other"'), "row 2 (notes): name is that of row 1"),
        (
            row(scope=SCOPE) + row(name='"b"', prefix='"/api/b"', scope='"api://A.example/R"'),
            "scope is 'api://A.example/R', which differs from that of row 1 (notes) in capitals only",
        ),
        (
            row(reads='"/api/elsewhere"', park="true", scope=SCOPE),
            "reads is '/api/elsewhere', which no row answers GET below",
        ),
        (
            row(reads='"/api/notes"', park="true", scope=SCOPE, methods='["PATCH"]'),
            "reads is '/api/notes', which no row answers GET below",
        ),
        (
            row(reads='"/api/notes/a"', park="true", scope=SCOPE)
            + row(name='"b"', prefix='"/api/notes/a"', methods='["PATCH"]'),
            "reads is '/api/notes/a', which no row answers GET below",
        ),
        (row(target='"http://localhost:3000"'), "target is 'http://localhost:3000', which is this gateway itself"),
        (row(target='"http://127.0.0.1:3000/api"'), "which is this gateway itself"),
        (row(scope='"user.read"'), "differs from that of GATEWAY_GRAPH_SCOPE in capitals only"),
        (row(scope='"Notes.Read"'), "a name alone, which Entra takes for one of Microsoft Graph's"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_told(told: Told, text: str, says: str) -> None:
    sentences = told(text)

    assert any(says in one for one in sentences), sentences


@pytest.mark.parametrize(
    "changed, target",
    [
        ({"GATEWAY_PUBLIC_URL": "https://Profile.Example"}, "https://profile.example:443/api/notes"),
        ({"GATEWAY_PORT": "8080", "GATEWAY_PUBLIC_URL": "https://p.example"}, "http://[::1]:8080"),
        ({"GATEWAY_PORT": "80"}, "http://127.1"),
        ({"GATEWAY_ADMIN_PORT": "9000"}, "http://localhost:9000/metrics"),
    ],
)
def test_an_address_of_our_own_is_no_upstream(told: Told, changed: dict[str, str], target: str) -> None:
    (sentence,) = told(row(target=f'"{target}"'), **changed)

    assert "which is this gateway itself" in sentence


@pytest.mark.parametrize(
    "text",
    [
        row(target='"http://127.0.0.1:8080"'),
        row(target='"http://[::1]:8080/v1"'),
        row(target='"http://notes.example"', allow_http="true"),
        TWO + row(name='"edits"', methods='["PATCH", "DELETE"]'),
        TWO + row(name='"deeper"', prefix='"/api/notes/deeper"'),
        row(scope=SCOPE) + row(name='"b"', prefix='"/api/b"', scope=SCOPE),
        row(scope='"User.Read"'),
        row(scope='"Calendars.Read"', target='"https://graph.microsoft.com/v1.0/me"'),
        row(scope='"api://notes.example/.default"'),
        row(anonymous="true", scope=SCOPE),
        TWO + row(name='"edits"', methods='["PATCH"]', scope=SCOPE, park="true", reads='"/api/notes"'),
        TWO + row(name='"edits"', methods='["PATCH"]', scope=SCOPE, park="true", reads='"/api/notes/7"'),
        row(methods='["PATCH"]', scope=SCOPE, park="true", reads='"/api/profile"'),
        row(prefix='"/api/profiles"'),
        row(prefix='"/api/v1.2/my_notes~/x-y"'),
        row(prefix='"/api/session-notes"'),
        row(max_body="0", timeout="600"),
    ],
)
def test_what_goes_together_is_right(tmp_path: Path, text: str) -> None:
    assert rows_of(tmp_path, text)
