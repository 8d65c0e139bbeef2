"""Heads of requests: what is sent is one request, whatever its fields hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.http_client.request_head import request_head

LINES = "Host: api.example\r\n"


def test_a_head_is_what_it_is_made_of() -> None:
    head = request_head("GET", "/a?b=%20", LINES, [("Accept", "*/*"), ("X-Name", "Grüße")])

    assert head == (
        "GET /a?b=%20 HTTP/1.1\r\nHost: api.example\r\nAccept: */*\r\nX-Name: Grüße\r\n\r\n".encode()
    )


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n", "\0", "\r\n\r\nGET /evil HTTP/1.1\r\n", "x\n y"])
@pytest.mark.parametrize("place", ["value", "name", "method"])
def test_S46_nothing_in_a_field_ends_its_line(end: str, place: str) -> None:
    method = f"GET{end}" if place == "method" else "GET"
    fields = {f"X{end}" if place == "name" else "X": f"a{end}b" if place == "value" else "b"}

    with pytest.raises(ValueError, match="end of a line"):
        request_head(method, "/", LINES, fields.items())


@pytest.mark.parametrize(
    "target", ["", "/a b", "/a\r\nX: y", "/a\t", "/a\0", "/ HTTP/1.1", "/\x7f", "/a\x0bb"]
)
def test_S46_nothing_in_a_target_ends_it(target: str) -> None:
    with pytest.raises(ValueError, match="target"):
        request_head("GET", target, LINES)


@given(st.dictionaries(st.sampled_from(["A", "B", "C"]), st.text()), st.text(min_size=1))
def test_S46_whatever_is_sent_has_one_line_for_each_field_or_is_refused(
    fields: dict[str, str], target: str
) -> None:
    try:
        head = request_head("GET", target, LINES, fields.items())
    except ValueError:
        return

    lines = head.split(b"\r\n")
    assert (len(lines), lines[-2:]) == (len(fields) + 4, [b"", b""])
    assert not any(end in line for line in lines for end in (b"\r", b"\n", b"\0"))
    assert len(lines[0].split(b" ")) == 3
