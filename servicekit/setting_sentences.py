"""The sentence that a fault in a setting becomes.

Owns its form: the variable, what is wrong in words that go on from "which", and what would be right, from the field's
description and its first example. Shows a text in part, and one of a secret, or what an address holds to sign in with,
never.
"""

import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings

_SHOWN = 80
_USER_INFO = re.compile(r"//[^/?#]*@")

# What pydantic finds, as a phrase that goes on from "which".
_PHRASES = {
    "int_parsing": "is not a whole number",
    "int_parsing_size": "is too large",
    "int_from_float": "is not a whole number",
    "float_parsing": "is not a number",
    "bool_parsing": "is neither 1 nor 0",
    "greater_than": "is not above {gt}",
    "greater_than_equal": "is below {ge}",
    "less_than": "is not below {lt}",
    "less_than_equal": "is above {le}",
    "string_too_short": "is too short",
    "too_short": "holds too little",
    "string_too_long": "is too long",
    "string_pattern_mismatch": "has another form",
    "literal_error": "is not one of the words for it",
}


def is_secret(field: FieldInfo) -> bool:
    """Tell whether the text of a setting must not be shown."""
    return _holds_secret(field.annotation)


def _holds_secret(annotation: object) -> bool:
    """Look into `Annotated[SecretStr, …] | None` and the like, however deep."""
    return annotation is SecretStr or any(map(_holds_secret, get_args(annotation)))


def sentence_of(
    settings: type[BaseSettings], details: ErrorDetails, texts: Mapping[str, str], prefix: str
) -> str:
    """Return the sentence for what pydantic found in one setting."""
    name = str(details["loc"][0]) if details["loc"] else ""
    field = settings.model_fields.get(name)
    if field is None:
        return str(details.get("ctx", {}).get("error", details["msg"]))
    variable = prefix + name.upper()
    if details["type"] == "missing":
        return f"{variable} is missing.{_right(field)}"
    return sentence_for(prefix, name, field, texts[name], _phrase(details))


def sentence_for(prefix: str, name: str, field: FieldInfo, text: str, phrase: str) -> str:
    """Return the sentence for a setting whose text is wrong."""
    variable = prefix + name.upper()
    subject = f"{variable} is set, but" if is_secret(field) else f"{variable} is {shown(text)}, which"
    return f"{subject} {phrase}.{_right(field)}"


def _right(field: FieldInfo) -> str:
    """Return the end of a sentence: what would be right."""
    right = f" It should be {field.description}" if field.description else ""
    if field.examples:
        right += f", such as {field.examples[0]}"
    return right and f"{right}."


def _phrase(details: ErrorDetails) -> str:
    context: dict[str, Any] = details.get("ctx", {})
    if details["type"] == "value_error":
        return str(context["error"])
    phrase = _PHRASES.get(details["type"])
    return phrase.format(**context) if phrase else f"does not fit ({details['msg'].lower()})"


def shown(text: str) -> str:
    """Return a value as a sentence shows it: not too long, and without what an address holds to sign in with."""
    text = _USER_INFO.sub("//…@", text)
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
