"""The head of a request, as bytes.

Owns that a value is one line of it and no more: what holds a line's end would be a field, or a request, of somebody
else's making (RFC 9110, section 5.5; RFC 9112, section 11.1).
Never decides which fields are sent.
"""

import re
from collections.abc import Iterable
from typing import Final

from aiohttp.http import SERVER_SOFTWARE

SAYS_WHO: Final = f"User-Agent: {SERVER_SOFTWARE}\r\n"
"""The line of our own name, which stands in every request."""
_LINE_END: Final = "\r\n"
_TARGET: Final = re.compile(r"[^\x00-\x20\x7f]+")


def request_head(method: str, target: str, lines: str, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return a request's head; `target` is sent as it stands, and `lines` are fields that are whole lines already.

    Raises ValueError where something in it would end a line, or the target, before its end.
    Not checked: that a field's name is a token; names are those of our own lists.
    """
    if not _TARGET.fullmatch(target):
        raise ValueError("the target of a request holds a blank or a control character")
    said = [f"{name}: {value}" for name, value in fields]
    text = "".join(
        [method, *said]
    )  # in which a search costs next to nothing, where counting took ten times as long
    if "\r" in text or "\n" in text or "\0" in text:
        raise ValueError("a field of a request holds the end of a line")
    said.append(_LINE_END)
    return f"{method} {target} HTTP/1.1\r\n{lines}{_LINE_END.join(said)}".encode()
