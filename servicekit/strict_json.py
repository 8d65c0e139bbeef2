"""JSON as one reading of the bytes, or not at all.

Owns the loader for JSON that strangers send: request bodies, token headers and claims.
Python's own loader takes duplicate keys (the last one wins, in another parser the first), NaN, half surrogates that
no answer can be encoded with, and nesting that ends in RecursionError; none of that gets through here (RFC 8259,
I-JSON: RFC 7493).
Never looks at what the values mean, and never quotes the input in a message.
"""

import json
import math
import re
from typing import Any, Final

DEEPEST: Final = 8
_LONGEST_NUMBER: Final = 20
# A string, closed or not, or a bracket. Possessive and never failing, so that it stays linear on hostile input.
_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class NotStrictJson(ValueError):
    """The text is not JSON that every parser reads alike; the message says why and quotes nothing."""


def load_strict_json(data: bytes, *, deepest: int = DEEPEST) -> Any:
    """Return the value that `data` holds.

    Raises NotStrictJson for anything but UTF-8 without a byte order mark, for syntax errors, duplicate names, NaN
    and infinities, numbers of more than 20 characters, lone surrogates, and more than `deepest` levels.
    Not checked here: the length; callers cap it before they read.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise NotStrictJson("not UTF-8") from error
    if _is_deeper(text, deepest):
        raise NotStrictJson(f"nested more than {deepest} levels deep")
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise NotStrictJson(f"not JSON at line {error.lineno}, column {error.colno}") from None
    if "\\u" in text:
        _refuse_lone_surrogates(value)
    return value


def _is_deeper(text: str, deepest: int) -> bool:
    if text.count("[") + text.count("{") <= deepest:
        return False
    depth = 0
    for token in _TOKENS.finditer(text):
        if token[0] in {"[", "{"}:
            depth += 1
            if depth > deepest:
                return True
        elif token[0] in {"]", "}"}:
            depth -= 1
    return False


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJson("a name appears twice in one object")
    return members


def _no_constant(_name: str) -> float:
    raise NotStrictJson("NaN and Infinity are not JSON")


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise NotStrictJson("a number is too long")
    return int(digits)


def _fraction(digits: str) -> float:
    number = float(digits) if len(digits) <= _LONGEST_NUMBER else math.inf
    if math.isinf(number):
        raise NotStrictJson("a number is too long or too large")
    return number


def _refuse_lone_surrogates(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise NotStrictJson("half of a surrogate pair") from error


# Built once: `json.loads` would build one for each text.
_decoder: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_constant=_no_constant, parse_int=_whole, parse_float=_fraction
)
