"""`WWW-Authenticate`, one field a line: read, written down and read again."""

from typing import Final

from servicekit.challenges import parse_bearer_challenges
from servicekit.strict_json import load_strict_json
from tests.fuzz.target import Target, text_of

_MOST: Final = 20
_LONGEST: Final = 16_000


def _check(data: bytes) -> None:
    found = parse_bearer_challenges(text_of(line) for line in data.split(b"\n"))
    assert len(found) <= _MOST
    for challenge in found:
        if challenge.claims is not None:
            assert isinstance(load_strict_json(challenge.claims.encode()), dict)
        assert challenge.max_age is None or 0 <= challenge.max_age < 10**9
        try:
            header = challenge.header()
        except ValueError:
            continue  # a character that no header can carry
        if len(header) <= _LONGEST:
            assert parse_bearer_challenges([header]) == [challenge]
    _check_quoted(data)


def _check_quoted(data: bytes) -> None:
    """Another scheme's quoted text is never read as a challenge of ours."""
    quoted = text_of(data).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    if len(quoted) < _LONGEST:
        assert parse_bearer_challenges([f'Digest realm="{quoted}"']) == []


TARGETS: Final = (
    Target(
        "www-authenticate",
        "challenges are read without a fault, the same when they are written down again, and never out of a quotation",
        _check,
        [
            *(
                b"Bearer",
                b"bearer ",
                b"Digest",
                b"Basic ",
                b"PoP",
                b" ",
                b"\t",
                b",",
                b", ",
                b"=",
                b'"',
                b"\\",
                b'\\"',
                b"\n",
            ),
            *(
                b'error="',
                b"insufficient_claims",
                b"insufficient_scope",
                b'claims="',
                b"eyJhIjp7fX0=",
                b"e30",
                b"max_age=",
            ),
            *(
                b'"300"',
                b"-1",
                b"1e9",
                b'realm=""',
                b"scope=",
                b"acr_values",
                b"YWJj==",
                b"\xff",
                b"\xc3\xa9",
                b"99999999999",
            ),
        ],
    ),
)
