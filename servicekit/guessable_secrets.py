"""Whether a secret can be guessed, as far as its own form shows: keys and passwords that chance did not make.

Owns the rules for keys of 32 bytes and for passwords; each answers with a phrase for a sentence about a setting, or
None. Every rule is one that bytes drawn by chance break less than once in 10^13 times.
Never shows what it judges, and never says that a secret is good: one that was published, or drawn by a bad generator,
looks like any other.
"""

import itertools
import re
from collections import Counter
from typing import Final

# Of 32 random bytes fewer than 16 values, or one of them ten times, are seen once in 10^13 keys, and seldomer.
_FEWEST_VALUES: Final = 16
_MOST_OF_ONE: Final = 9
_FEWEST_CHARACTERS: Final = 4
_LEAST_IN_A_ROW: Final = 0.75
SHORTEST_PASSWORD: Final = 16

_KEYBOARD: Final = "qwertyuiop asdfghjkl zxcvbnm qwertzuiop yxcvbnm azertyuiop qsdfghjklm wxcvbn 1234567890"
# What a placeholder is made of. Whole words, each longer than one letter, so that no random text is made of them alone.
_WORDS: Final = """
access admin administrator api app application azure bar baz cache change client contoso credential
credentials database default demo dev development dummy enter entra example fake foo foobared for
gateway goes guest here in insert is it key letmein local long master me microsoft my not oauth of
oidc only our p4ssw0rd pass passphrase passw0rd passwd password placeholder please prod production
put pwd qwerty qwertz redis replace resource root sample sealing secret secrets secure service
session some stand stepup strong super tbd temp temporary tenant test testing tests the this to todo
token top use user valkey value very welcome with xxx your
"""
_MADE_OF_WORDS: Final = re.compile(rf"[\W\d_]*(?:(?:{'|'.join(_WORDS.split())})[\W\d_]*)+", re.IGNORECASE)
# Latin text: what keyboards in Europe and America write.
_LAST_LATIN: Final = "\u024f"


def guessable_key(key: bytes) -> str | None:
    """Return why a key of 32 bytes is not random, as a phrase that goes on from "a key that", or None."""
    steps = [(after - before) % 256 for before, after in itertools.pairwise(key)]
    if len(set(key)) == 1:
        return "is one byte, again and again"
    if _repeats(key):
        return "repeats a part of itself"
    if _is_text(key):
        return "is text, and no random bytes"
    if len(set(key)) < _FEWEST_VALUES or max(Counter(key).values()) > _MOST_OF_ONE:
        return "holds few different bytes, as none does that is random"
    if len(set(steps)) < _FEWEST_VALUES:
        return "counts, and holds no random bytes"
    return None


def alike(keys: list[bytes]) -> str | None:
    """Return what two keys of a ring share, as a phrase that goes on from "which", or None."""
    for (first, one), (second, other) in itertools.combinations(enumerate(keys, 1), 2):
        if one == other:
            return f"has one key twice, as number {first} and number {second}"
        half = len(one) // 2
        if one[:half] == other[:half] or one[half:] == other[half:]:
            return f"has keys, number {first} and number {second}, that share a half"
    return None


def guessable_password(text: str) -> str | None:
    """Return why anybody could guess a password of any length, as a phrase that goes on from "set, but", or None."""
    if _MADE_OF_WORDS.fullmatch(text):
        return "is made of words that stand in every list of passwords"
    if len(set(text)) < _FEWEST_CHARACTERS:
        return "holds few different characters"
    if _repeats(text):
        return "repeats a part of itself"
    if _is_in_a_row(text):
        return "is a row of the alphabet, of the digits, or of a keyboard"
    return None


def _repeats(text: bytes | str) -> bool:
    """Tell whether a part, of half the length at most, makes the whole when it is written again and again."""
    return any(text[part:] == text[:-part] for part in range(1, len(text) // 2 + 1))


def _is_text(key: bytes) -> bool:
    """Tell whether bytes are Latin text in UTF-8, perhaps filled up at the end with one byte."""
    for candidate in (key, key.rstrip(key[-1:])):
        try:
            text = candidate.decode()
        except UnicodeDecodeError:
            continue
        if text and all(
            letter <= _LAST_LATIN and (letter.isprintable() or letter in "\t\r\n") for letter in text
        ):
            return True
    return False


def _is_in_a_row(text: str) -> bool:
    steps = [ord(after) - ord(before) for before, after in itertools.pairwise(text)]
    in_a_row = sum(step in {1, -1} for step in steps)
    folded = text.casefold()
    rows = {_KEYBOARD.replace(" ", ""), *_KEYBOARD.split(" ")}
    return bool(steps) and (
        in_a_row >= _LEAST_IN_A_ROW * len(steps) or any(folded in row or folded in row[::-1] for row in rows)
    )
