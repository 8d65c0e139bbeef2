"""JSON from outside, read or refused. Says nothing of what is in it."""

import json


def read_json(text: str | bytes) -> object:
    """Return the value. Raises ValueError for what isn't JSON (RFC 8259), NaN included, or is nested too deep."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number of JSON's")
