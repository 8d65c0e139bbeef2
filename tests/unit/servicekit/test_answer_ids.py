"""What the other side calls our request: ids, and nothing else by their names (A6, S35)."""

import pytest
from multidict import CIMultiDict

from servicekit.answer_ids import ids_of_headers, ids_of_refusal, ids_of_text

TRACE = "7e94b95f-7014-4736-aed0-2ee729417bdf"
CORRELATION = "33623df2-4f77-450f-8e71-f62a007ac12e"
TIME = "2026-11-26 23:13:44Z"
ALL = {"trace_id": TRACE, "correlation_id": CORRELATION, "timestamp": TIME}

NO_IDS = [
    "",
    "ada@example.com",
    "Ada Lovelace",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZy1lbm91Z2g",
    "x" * 65,
    "id\x1b[31m",
    "id\nevent=forged",
    "id\ud800",
    "\uff17e94b95f",
    '"},{"event":"signed-in',
]


@pytest.mark.parametrize(
    "name, value",
    [
        ("X-MS-Request-Id", TRACE),
        ("request-id", TRACE),
        ("X-Request-ID", "req-01JD:4.7_x="),
        ("x-okta-request-id", "Zz0aVQ2mR7bY1g"),
        ("CF-RAY", "8e8a1b2c3d4e5f60-FRA"),
    ],
)
def test_A6_the_ids_of_many_kinds_of_servers_are_read(name: str, value: str) -> None:
    assert ids_of_headers(CIMultiDict({name: value, "Set-Cookie": "fpc=x"})) == {name.lower(): value}


@pytest.mark.parametrize("value", NO_IDS)
def test_A6_S35_what_is_no_id_is_not_told(value: str) -> None:
    assert ids_of_headers(CIMultiDict({"x-request-id": value})) == {}
    assert ids_of_refusal({"trace_id": value, "correlation_id": value, "timestamp": value}) == {}


@pytest.mark.parametrize("value", [7, None, ["x"], {"x": 1}, True])
def test_A6_S35_only_text_is_an_id(value: object) -> None:
    assert ids_of_refusal(dict.fromkeys(ALL, value)) == {}


def test_A6_a_refusal_names_its_ids_and_its_time() -> None:
    assert ids_of_refusal({**ALL, "error_description": "AADSTS50076: …", "claims": "{}"}) == ALL


@pytest.mark.parametrize("gap", [" ", "\r\n", "\n"])
def test_A6_the_ids_at_the_end_of_a_description_are_read_and_nothing_before_them(gap: str) -> None:
    description = (
        f"AADSTS50105: ada@example.com is not assigned.{gap}Trace ID: {TRACE}{gap}"
        f"Correlation ID: {CORRELATION}{gap}Timestamp: {TIME}"
    )
    assert ids_of_text(description) == ALL


@pytest.mark.parametrize("description", ["", "Trace ID: x Correlation ID: y Timestamp: z", "a" * 100_000])
def test_A6_a_description_of_somebody_else_has_none(description: str) -> None:
    assert ids_of_text(description) == {}
