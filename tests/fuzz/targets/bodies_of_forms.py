"""Forms: the authority's answer, as a body."""

import asyncio
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.edge.forms import FORM, read_form
from gateway.errors import AuthFlowRejected
from gateway.flows.authorization_response import read_response, refused
from gateway.flows.flow_record import FlowStore
from servicekit.problems import ProblemError
from tests.fuzz.target import Target
from tests.stage.parsed_request import parsed_request

_LARGEST: Final = 16_384


def _pairs(body: bytes) -> list[tuple[str, str]]:
    """Read a form a second time (URL Standard, section 5.1)."""
    pairs = []
    for piece in body.split(b"&"):
        if piece:
            name, _, value = piece.replace(b"+", b" ").partition(b"=")
            pairs.append((unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()))
    return pairs


def _check(data: bytes) -> None:
    sent = data[:_LARGEST]
    fields = [("Content-Type", FORM)]
    read = asyncio.run(_form(fields, sent))
    if read is not None:
        assert read == _pairs(sent)
    answer = asyncio.run(_answer(fields, sent))
    if answer is None:
        return
    assert answer["state"]
    assert ("code" in answer) != ("error" in answer)
    for name, value in answer.items():
        assert [one for key, one in _pairs(sent) if key == name] == [value]
    if "error" in answer:
        problem = refused(answer["error"], answer.get("error_description", ""), stepping_up=False).problem()
        assert answer["error"] not in problem.detail or len(answer["error"]) < 20
    request = parsed_request([])
    assert request
    assert FlowStore.name_of_answer(request, answer) is None


async def _form(fields: list[tuple[str, str]], body: bytes) -> list[tuple[str, str]] | None:
    request = parsed_request(fields, "/auth/callback", method="POST", body=body)
    assert request
    return await read_form(request)


async def _answer(fields: list[tuple[str, str]], body: bytes) -> dict[str, str] | None:
    request = parsed_request(fields, "/auth/callback", method="POST", body=body)
    assert request
    try:
        return await read_response(request)
    except AuthFlowRejected as rejected:
        assert isinstance(rejected, ProblemError)
        return None


TARGETS: Final = (
    Target(
        "form-post",
        "a form is refused, or read as the URL Standard reads it, and an answer has each name once",
        _check,
        [
            *(
                b"&",
                b"=",
                b";",
                b"+",
                b"%",
                b"%26",
                b"%3D",
                b"%00",
                b"%ff",
                b"%0d%0a",
                b"state=",
                b"code=",
                b"error=",
                b"iss=",
            ),
            *(
                b"access_denied",
                b"error_description=AADSTS65004",
                b"session_state=",
                b"state",
                b"\xff",
                b"\xc3\xa9",
                b"s" * 43,
            ),
            *(b"&a=b" * 60, b"error_subcode=cancel", b"client_info=", b"%ed%a0%80"),
        ],
    ),
)
