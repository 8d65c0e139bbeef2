"""Short texts that people type about themselves: allowed names, limits, what is no text at all.

Owns the reading of a JSON object of such texts (RFC 7396: an absent field stays, null clears), and the list of faults,
one per field, with codes that programs can read.
Never respells what was typed: Unicode's normal forms make another letter of some (U+FA1B in a Japanese name), so they
are for comparing (`same_text`), not for storing. Never knows which fields a product has, and never sends anything
anywhere.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

UNKNOWN_FIELD: Final = "unknown_field"
WRONG_TYPE: Final = "wrong_type"
TOO_LONG: Final = "too_long"
REQUIRED: Final = "required"
INVALID_VALUE: Final = "invalid_value"
CODES: Final = (UNKNOWN_FIELD, WRONG_TYPE, TOO_LONG, REQUIRED, INVALID_VALUE)

MOST_ERRORS: Final = 20
_LONGEST_NAME: Final = 64
# Embeddings, overrides and isolates reorder the text around a name; joiners (ZWJ, ZWNJ), marks of direction and the
# tags of flags belong to real spelling.
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
# Fine between letters; a name of nothing else would look like none. Spaces and controls, what Unicode has as
# Default_Ignorable_Code_Point (DerivedCoreProperties.txt: fillers of Hangul, variation selectors, tags), and what is
# drawn as nothing: the empty pattern of Braille, the note without a head.
_BLANK: Final = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d159"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*"
)


@dataclass(frozen=True, slots=True)
class TextField:
    """One field: its name, the most UTF-16 code units it may take, and what else it must be.

    A `required` field can't be cleared. `lines`: the value may have line breaks, as an address has. `form` is a pattern
    that the whole value must match, and `form_says` the same in words.
    """

    name: str
    longest: int
    required: bool = False
    lines: bool = False
    form: re.Pattern[str] | None = None
    form_says: str = ""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `detail` is a sentence for the person and never quotes the value."""

    field: str
    code: str
    detail: str

    def as_json(self) -> dict[str, str]:
        """Return the members for a problem's `errors`."""
        return {"field": self.field, "code": self.code, "detail": self.detail}


class FieldFaults(Exception):
    """At least one field is wrong; `errors` has them all, up to twenty."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(", ".join(f"{error.field}: {error.code}" for error in errors))
        self.errors = errors


class TextFields:
    """The fields that one kind of object has; any other name is refused."""

    def __init__(self, fields: Iterable[TextField]) -> None:
        self._fields = {field.name: field for field in fields}

    def __iter__(self) -> Iterator[TextField]:
        """Go through the fields in the order they were declared."""
        return iter(self._fields.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order they were declared."""
        return tuple(self._fields)

    def read(self, body: object) -> dict[str, str | None]:
        """Return the fields that `body` holds, trimmed, in declared order; a text of which nothing is seen is None.

        Apart from that a value is as it was typed. Lengths are counted in UTF-16 code units: a server that counts
        code points allows at least as much.
        Raises FieldFaults with every fault. Not checked here: how large the body is.
        """
        if not isinstance(body, Mapping):
            raise FieldFaults([FieldError("", WRONG_TYPE, "The body must be a JSON object.")])
        errors = [
            FieldError(_tame(name), UNKNOWN_FIELD, "This field can't be changed here.")
            for name in body
            if name not in self._fields
        ]
        values: dict[str, str | None] = {}
        for name, field in self._fields.items():
            if name in body:
                judged = _judge(field, body[name])
                if isinstance(judged, FieldError):
                    errors.append(judged)
                else:
                    values[name] = judged
        if errors:
            raise FieldFaults(errors[:MOST_ERRORS])
        return values


def same_text(one: str | None, other: str | None) -> bool:
    """Tell whether two values are one text, in whatever normal form and with whatever line breaks a server keeps it."""
    return _spelling(one) == _spelling(other)


def _spelling(text: str | None) -> str:
    return unicodedata.normalize("NFC", _LINE_BREAK.sub("\n", text or ""))


def _judge(field: TextField, value: object) -> str | FieldError | None:
    if value is not None and not isinstance(value, str):
        return FieldError(field.name, WRONG_TYPE, "This must be text or null.")
    text = (value or "").strip()
    if _BLANK.fullmatch(text):
        return FieldError(field.name, REQUIRED, "This can't be empty.") if field.required else None
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > field.longest:
        return FieldError(field.name, TOO_LONG, f"This can have {field.longest} characters at most.")
    seen = _LINE_BREAK.sub("", text) if field.lines else text
    if _REORDERING & set(seen) or _UNPRINTABLE & {unicodedata.category(char) for char in seen}:
        unwanted = "control characters" if field.lines else "line breaks or control characters"
        return FieldError(field.name, INVALID_VALUE, f"This can't have {unwanted}.")
    if field.form and not field.form.fullmatch(text):
        return FieldError(field.name, INVALID_VALUE, f"This must be {field.form_says}.")
    return text


def _tame(name: str) -> str:
    """Return a stranger's field name in a form that is safe to show: short, and without control characters."""
    shown = "".join(char if char.isprintable() else "?" for char in name)
    return shown if len(shown) <= _LONGEST_NAME else shown[:_LONGEST_NAME] + "…"
