"""A token answer as MSAL and we take it, whoever wrote it (RFC 6749, sections 5.1 and 5.2).

Owns how the body is read, what of it MSAL is given, and the life of a token that it names.
Never looks into a token, and never decides what an answer means; `refusals.py` does.
"""

import json
from typing import Any, Final
from urllib.parse import parse_qsl

LONGEST_LIFE: Final = 604_800
"""No session lives longer (s)."""

_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "text/plain"})
_MOST_MEMBERS: Final = 50
# MSAL's own ideas of when to renew, which it fails on when they are no numbers; we have our own.
_NOT_FOR_MSAL: Final = frozenset({"refresh_in", "ext_expires_in", "expires_on"})


def read_token_answer(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the members of a token answer, without those that are null.

    JSON is read whatever it is called, a form where it is called one or plain text: some providers wrote forms before
    there was a standard, and their errors still are. A life is brought to whole seconds. Raises ValueError for
    everything else.
    """
    text = body.decode("utf-8-sig")
    try:
        parsed = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    except ValueError:
        if content_type.partition(";")[0].strip().lower() not in _FORMS:
            raise
        parsed = _of_form(text)
    if not isinstance(parsed, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - it is the answer that is wrong
    answer = {
        name: value for name, value in parsed.items() if value is not None and name not in _NOT_FOR_MSAL
    }
    return _with_a_life(answer)


def lifetime(expires_in: object) -> int | None:
    """Return a life in whole seconds: a number, or text of one, as some authorities send; None where it is unknown.

    What says nothing (absent, not above zero, no number) is unknown; whatever is longer than a session counts as that.
    Raises ValueError for other text.
    """
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return None
    seconds = float(expires_in) if isinstance(expires_in, str) else expires_in
    return max(1, int(min(seconds, LONGEST_LIFE))) if seconds > 0 else None


def _of_form(text: str) -> dict[str, str]:
    """Return a form's members; raises ValueError for one that repeats a name, and for text that is no answer."""
    pairs = parse_qsl(text.strip(), keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_MEMBERS)
    answer = dict(pairs)
    if len(answer) != len(pairs) or not {"error", "access_token"} & answer.keys():
        raise ValueError("no token answer")
    return answer


def _with_a_life(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer whose life is one that MSAL reads too; it fails on words, and so do we."""
    given = answer.get("expires_in")
    if not isinstance(given, int | float | str):
        return answer
    try:
        seconds = lifetime(given)
    except ValueError:
        return answer
    others = {name: value for name, value in answer.items() if name != "expires_in"}
    return others if seconds is None else {**others, "expires_in": seconds}
