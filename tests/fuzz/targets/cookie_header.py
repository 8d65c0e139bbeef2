"""The `Cookie` header, one field a line, against a second reader that works on bytes."""

import re
from collections import Counter
from typing import Final

from gateway.edge.cookies import cookie_values, cookies
from gateway.flows.flow_record import FlowStore
from gateway.session.cookie import COOKIE, SessionCookie, is_doubled
from tests.fuzz.target import Target, text_of
from tests.stage.parsed_request import parsed_request

_PAIR: Final = re.compile(rb"[ \t]*([^=]*?)[ \t]*=[ \t]*(.*?)[ \t]*", re.DOTALL)
_OURS: Final = f"{COOKIE}=fffffffffffffffffffffg.{'i' * 43}.{'s' * 42}A".encode()
_FLOW: Final = f"__Host-Http-flow-{'n' * 16}=1750000000.{'s' * 43}".encode()


def _read_again(fields: list[bytes]) -> list[tuple[bytes, bytes]]:
    pieces = [piece for field in fields for piece in field.split(b";")]
    return [(pair[1], pair[2]) for piece in pieces if (pair := _PAIR.fullmatch(piece))]


def _check(data: bytes) -> None:
    fields = data.split(b"\n")
    request = parsed_request(("Cookie", text_of(field)) for field in fields)
    if request is None:
        return
    pairs = [(text_of(name), text_of(value)) for name, value in _read_again(fields)]
    times = Counter(name for name, _ in pairs)
    assert cookies(request) == {name: value for name, value in pairs if times[name] == 1}
    ours = [value for name, value in pairs if name == COOKIE]
    assert cookie_values(request, COOKIE) == ours
    assert is_doubled(request) == (len(ours) > 1)
    cookie = SessionCookie.of(request)
    assert (cookie.text if cookie else None) in {None, *(ours if len(ours) == 1 else [])}
    assert {one.text for one in SessionCookie.every(request)} <= set(ours)
    FlowStore.name_of_answer(request, {"state": text_of(data)})


TARGETS: Final = (
    Target(
        "cookie-header",
        "two readers see the same cookies, and a session cookie that is there twice is none",
        _check,
        [
            *(
                b"; ",
                b";",
                b"=",
                b" ",
                b"\t",
                b'"',
                b"\\",
                b",",
                b"\n",
                b"x=1 ",
                b"$Version=1",
                b"a",
                b"\xe2\x80\x80",
            ),
            *(
                b"\xc2\xa0",
                b"\xff",
                COOKIE.encode(),
                COOKIE.lower().encode(),
                b"__Host-Http-flow-",
                _OURS,
                _FLOW,
            ),
        ],
    ),
)
