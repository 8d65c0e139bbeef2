"""The file of upstreams: TOML, read when settings are read.

Owns the way from its path to rows, and the sentence for each fault of the file and of a member. A fault in one member
hides none in another, and none between rows: what can be read of a row is judged all the same.
Never shows what an address holds to sign in with, or the value of a member that is none.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.upstream_rows.forms import meant_member
from gateway.upstream_rows.headers import NAME_OF_FIELD
from gateway.upstream_rows.row import UpstreamRow
from servicekit.setting_sentences import shown

VARIABLE: Final = "GATEWAY_UPSTREAMS"
LARGEST_FILE: Final = 262_144
MOST_ROWS: Final = 100
_MOST_SHOWN: Final = 6

_TABLE: Final = "upstream"
_MEMBERS: Final = list(UpstreamRow.model_fields)
# What a row may go on with that lacks these; nobody is told of what is only filled in.
_STAND_IN: Final = {"name": "row", "prefix": "/api/row", "target": "https://row.invalid"}
_KINDS: Final = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a table",
}
# What pydantic finds, as a phrase that goes on from "which".
_PHRASES: Final = {
    "string_type": "is {kind} and no text",
    "bool_type": "is {kind} and neither true nor false",
    "int_type": "is {kind} and no whole number",
    "float_type": "is {kind} and no number",
    "tuple_type": "is {kind} and no list",
    "finite_number": "is no number of seconds",
    "greater_than": "is not above {gt:g}",
    "greater_than_equal": "is below {ge}",
    "less_than_equal": "is above {le:g}",
}


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row as far as it could be read: of `unreadable` members it has the defaults, or a stand-in."""

    number: int
    row: UpstreamRow
    unreadable: frozenset[str]
    path: str

    def has(self, *members: str) -> bool:
        """Tell whether these members are what the file says."""
        return self.unreadable.isdisjoint(members)

    @property
    def label(self) -> str:
        """How a sentence calls it."""
        return f"row {self.number}" + (f" ({self.row.name})" if self.has("name") else "")

    def sentence(self, fault: str) -> str:
        """Return the sentence for a fault of this row."""
        return f"{VARIABLE}, {self.label} of {shown(self.path)}: {fault}"


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a file says: its rows, and a sentence for every fault that was found so far."""

    rows: Sequence[ReadRow] = ()
    faults: Sequence[str] = ()


def read_file(path: str) -> ReadFile:
    """Return what the file at a path says; every fault is a sentence, and none is raised."""
    text, phrase = _text(path)
    if phrase:
        return ReadFile(faults=[_of_file(path, phrase)])
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: a number of thousands of digits, too
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        return ReadFile(faults=[_of_file(path, f"is no TOML: {why}")])
    faults = [_of_file(path, phrase) for phrase in _faults_around(document)]
    found = document.get(_TABLE, [])
    tables = found if isinstance(found, list) else []
    rows = []
    for number, table in enumerate(tables[:MOST_ROWS], 1):
        if isinstance(table, dict):
            row, sentences = _read_row(path, number, table)
            rows.append(row)
            faults += sentences
    return ReadFile(rows, faults)


def _text(path: str) -> tuple[str, str]:
    """Return the text of a file, and a phrase for why there is none."""
    file = Path(path)
    try:
        if file.is_dir():
            return "", "is a folder (Docker makes one where a file that is to be mounted does not exist)"
        if file.exists() and not file.is_file():
            return "", "is no regular file"
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is no path"
        return "", f"cannot be read: {reason}"
    if len(content) > LARGEST_FILE:
        return "", f"is larger than {LARGEST_FILE} bytes"
    try:
        # An editor of another system may leave a byte order mark.
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return "", "is not text in UTF-8"


def _faults_around(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a phrase for each fault beside the rows."""
    for key in sorted(document.keys() - {_TABLE}):
        yield f"has {shown(key)}, which is none of its members: each row begins with [[{_TABLE}]]"
    found = document.get(_TABLE)
    if isinstance(found, dict):
        yield f"has [{_TABLE}], one table: each row begins with [[{_TABLE}]], in two pairs of brackets"
    elif found is not None and not (isinstance(found, list) and all(isinstance(one, dict) for one in found)):
        yield f"has {_TABLE!r} as a value: each row begins with [[{_TABLE}]]"
    elif isinstance(found, list) and len(found) > MOST_ROWS:
        yield f"has more than {MOST_ROWS} rows"
    elif found is None:
        yield f"has no row: each begins with [[{_TABLE}]]"


def _of_file(path: str, phrase: str) -> str:
    return f"{VARIABLE} names {shown(path)}, which {phrase}. It should be a TOML file with a row for each upstream."


def _read_row(path: str, number: int, table: Mapping[str, Any]) -> tuple[ReadRow, list[str]]:
    """Return a row as far as it can be read, and its sentences."""
    try:
        return ReadRow(number, UpstreamRow(**table), frozenset(), path), []
    except ValidationError as error:
        # A list tells of each of its entries; one sentence for a member is enough.
        first: dict[str, ErrorDetails] = {}
        for details in error.errors():
            first.setdefault(str(details["loc"][0]), details)
    readable = {name: value for name, value in table.items() if name not in first}
    row = ReadRow(number, UpstreamRow(**{**_STAND_IN, **readable}), frozenset(first), path)
    return row, [row.sentence(_fault(name, details, table)) for name, details in first.items()]


def _fault(name: str, details: ErrorDetails, table: Mapping[str, Any]) -> str:
    if details["type"] == "extra_forbidden":
        meant = meant_member(name, _MEMBERS)
        hint = f"Did you mean {meant}?" if meant else f"It should be one of {', '.join(_MEMBERS)}."
        return f"{shown(name)} is no member of a row. {hint}"
    field = UpstreamRow.model_fields[name]
    right = f"It should be {field.description}"
    if field.examples:
        right += f", such as {field.examples[0]}"
    if details["type"] == "missing":
        return f"{name} is missing. {right}."
    phrase = _phrase(details)
    return f"{name} is {_value(name, table[name])}, which {phrase}. {right}."


def _phrase(details: ErrorDetails) -> str:
    context: dict[str, Any] = details.get("ctx", {})
    if details["type"] == "value_error":
        return str(context["error"])
    value = details["input"]
    kind = _KINDS.get(type(value), "a date or a time")
    phrase = _PHRASES.get(details["type"])
    if phrase and len(details["loc"]) > 1:
        return f"holds {phrase.format(kind=kind, **context).removeprefix('is ')}"
    return phrase.format(kind=kind, **context) if phrase else f"does not fit ({details['msg'].lower()})"


def _value(name: str, value: object) -> str:
    """Return a value as a sentence shows it: of an address or of a header field nothing that could be a secret."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{…}"
    if isinstance(value, list):
        entries = [_value(name, one) for one in value[:_MOST_SHOWN]]
        return f"[{', '.join(entries)}{', …' if len(value) > _MOST_SHOWN else ''}]"
    if not isinstance(value, str):
        return shown(str(value)).strip("'\"")
    return shown(_of_address(value) if name == "target" else _of_field(value) if "header" in name else value)


def _of_address(text: str) -> str:
    """Leave out what stands before an @, or in a query: it may be a password or a key."""
    text = text.partition("?")[0].partition("#")[0]
    scheme, _, rest = text.rpartition("@")[0].partition("//")
    return f"{scheme}//…@{text.rpartition('@')[2]}" if "@" in text and rest else text


def _of_field(text: str) -> str:
    """Leave out the value where somebody wrote a whole header field."""
    name = NAME_OF_FIELD.match(text)
    return text if name is None or name[0] == text else f"{name[0]}…"
