"""Commands as they go over the wire (RESP2).

Owns their form alone. Never sends one.
"""

import hiredis

Word = str | bytes | int | float
"""One word of a command; text goes as UTF-8, a number as Python writes it."""


def packed(*words: Word) -> bytes:
    """Return a command's bytes: an array of strings."""
    command: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub allows for one word only
    return command
