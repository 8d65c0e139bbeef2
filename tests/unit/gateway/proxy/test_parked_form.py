"""How a request that waits lies in Redis: byte for byte, and as the release before wrote an edit of the profile."""

import hashlib
import json
import os

import pytest

from gateway.proxy.parked_form import PROFILE, ParkedRequest, read, written
from gateway.store.sealing import pack
from gateway.store.stored_form import write_record

AT = 1_750_000_600.0
NOISE = hashlib.shake_128(b"noise").digest(65_536)


def waiting(body: bytes, *headers: tuple[str, str], method: str = "POST") -> ParkedRequest:
    return ParkedRequest("notes", method, "/api/notes/7?x=%20&y=", headers, body, AT)


@pytest.mark.parametrize(
    "request_",
    [
        waiting(b""),
        waiting(b"\n"),
        waiting(b"\n\n{}\n"),
        waiting(b'{"changes":{"city":"Rome"},"expires_at":1}'),
        waiting(NOISE),
        waiting(b"\0" * 65_536),
        waiting(b"A" * 65_536),
        waiting(os.fsencode("Zürich"), ("Content-Type", "text/plain; charset=utf-8")),
        waiting(b"\xff\xfe", ("If-Match", '"a", W/"b"'), ("Idempotency-Key", "k"), method="DELETE"),
        waiting(b"", ("Accept", "a"), ("accept", "b"), ("Prefer", "Z\udcfcrich \u00fc \u4e2d")),
        waiting(b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n\xff\r\n--b--\r\n'),
    ],
    ids=range(11),
)
def test_a_request_is_read_as_it_was_written_byte_for_byte(request_: ParkedRequest) -> None:
    assert read(written(request_)) == request_


def test_a_body_that_cannot_be_packed_takes_no_more_than_it_has() -> None:
    assert len(pack(written(waiting(NOISE)))) < len(NOISE) + 300


def test_R27_an_edit_of_the_profile_lies_there_as_the_release_before_wrote_it() -> None:
    body = b'{ "city": "R\\u00f6m", "state": null }'
    headers = (("Content-Type", "application/json"), ("if-match", '"tag"'))

    stored = written(ParkedRequest(PROFILE, "PATCH", "/api/profile", headers, body, AT))

    assert json.loads(stored) == {
        "changes": {"city": "R\u00f6m", "state": None},
        "condition": '"tag"',
        "expires_at": AT,
    }


@pytest.mark.parametrize("condition", [None, "*", '"tag"'])
def test_R27_what_the_release_before_parked_is_read_as_a_request(condition: str | None) -> None:
    changes = {"city": "Rome", "state": None}

    parked = read(write_record({"changes": changes, "condition": condition, "expires_at": AT}))

    assert parked
    assert (parked.upstream, parked.method, parked.path) == (PROFILE, "PATCH", "/api/profile")
    assert (parked.content_type, parked.header("IF-MATCH")) == ("application/merge-patch+json", condition)
    assert (json.loads(parked.body), parked.expires_at) == (changes, AT)


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"{}",
        b"[]",
        b"\n",
        b"{}\nbody",
        b'{"changes":{"city":1}}',
        b'{"upstream":"notes"}\n{}',
        b'{"upstream":"notes","method":"POST","path":"/","headers":[["a"]],"expires_at":1}\n',
        b"\xff\n\xff",
    ],
)
def test_what_is_no_request_counts_as_absent(stored: bytes) -> None:
    assert read(stored) is None


@pytest.mark.parametrize(
    "value, content_type",
    [
        ("application/merge-patch+json", "application/merge-patch+json"),
        ("Application/Merge-Patch+JSON ; charset=utf-8", "application/merge-patch+json"),
        ("", ""),
    ],
)
def test_a_body_says_what_it_is_without_parameters(value: str, content_type: str) -> None:
    assert waiting(b"", ("content-TYPE", value)).content_type == content_type
    assert waiting(b"").content_type == ""


# Written down once, and never from what this code answers: what waits while the gateway is replaced must be readable.
FROZEN = (
    b'{"upstream":"notes","method":"PUT","path":"/api/notes/7?x=%20","headers":[["Content-Type","image/png"],'
    b'["If-Match","\\"a\\""]],"expires_at":1750000600.0}\n\x89PNG\n\xff'
)


def test_R27_the_form_of_a_request_that_waits_is_frozen() -> None:
    parked = ParkedRequest(
        "notes",
        "PUT",
        "/api/notes/7?x=%20",
        (("Content-Type", "image/png"), ("If-Match", '"a"')),
        b"\x89PNG\n\xff",
        AT,
    )

    assert written(parked) == FROZEN
    assert read(FROZEN) == parked
    later = FROZEN.replace(b'"expires_at"', b'"of_another_version":[1],"expires_at"')
    assert read(later) == parked, "members that are unknown here are passed over"
