"""Secret keys as settings have them: 32 bytes each, base64url, comma-separated, the first one in use.

Owns reading them, and what is wrong with some, without showing any.
Never knows what a key is for.
"""

import base64
from typing import Final

from servicekit.guessable_secrets import alike, guessable_key

KEY_BYTES: Final = 32


def read_key(text: str) -> bytes:
    """Return the 32 bytes that base64url `text` stands for; raises ValueError with a sentence."""
    try:
        key = base64.urlsafe_b64decode(text.strip() + "=" * (-len(text.strip()) % 4))
    except ValueError as error:
        raise ValueError("is not base64url") from error
    if len(key) != KEY_BYTES:
        raise ValueError(f"holds {len(key)} bytes instead of {KEY_BYTES}")
    return key


def read_keys(text: str) -> list[bytes]:
    """Return keys; raises ValueError."""
    return [read_key(part) for part in text.split(",")]


def secret_keys(value: object) -> object:
    """Check keys without showing them, as a form of a setting."""
    wrong, keys = [], []
    for number, text in enumerate(str(value).split(","), 1):
        try:
            keys.append(read_key(text))
        except ValueError as error:
            wrong.append(f"has a key, number {number}, that {error}")
            continue
        if phrase := guessable_key(keys[-1]):
            wrong.append(f"has a key, number {number}, that {phrase}")
    if not wrong and (phrase := alike(keys)):
        wrong.append(phrase)
    if wrong:
        raise ValueError(", and ".join(wrong))
    return value
