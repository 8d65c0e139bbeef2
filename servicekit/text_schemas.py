"""How short texts, and what is wrong with them, look in a service's description.

Owns the schema of a patch and of a field's fault, made of the fields and the codes that `text_fields.py` reads by.
Never repeats a limit.
"""

from typing import Annotated, Any, Final

from pydantic import Field
from typing_extensions import TypedDict

from servicekit.operations import NamedSchema
from servicekit.text_fields import CODES, MOST_ERRORS, TextField, TextFields


class FieldError(TypedDict):
    """What is wrong with one field."""

    field: Annotated[str, Field(description="The member at fault; empty when it is the body as a whole.")]
    code: Annotated[str, Field(json_schema_extra={"enum": list(CODES)})]
    detail: str


FIELD_ERRORS: Final = Annotated[list[FieldError], Field(max_length=MOST_ERRORS)]


def patch_schema(name: str, description: str, fields: TextFields) -> NamedSchema:
    """Return the schema of a merge patch (RFC 7396) of `fields`."""
    return NamedSchema(
        name,
        {
            "description": description,
            "type": "object",
            "additionalProperties": False,
            "properties": {field.name: _text(field) for field in fields},
        },
    )


def object_schema(name: str, members: tuple[str, ...]) -> NamedSchema:
    """Return the schema of an object whose `members` are texts or null, but for its `id`, which is always there."""
    return NamedSchema(
        name,
        {
            "type": "object",
            "required": list(members),
            "additionalProperties": False,
            "properties": {
                member: {"type": "string" if member == "id" else ["string", "null"]} for member in members
            },
        },
    )


def _text(field: TextField) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "type": "string" if field.required else ["string", "null"],
        "maxLength": field.longest,
    }
    if field.required:
        drawn["minLength"] = 1
    if field.form:
        # An empty text clears the field, as null does.
        drawn |= {
            "pattern": f"^({field.form.pattern})?$",
            "description": f"It is {field.form_says}; empty clears it.",
        }
    return drawn
