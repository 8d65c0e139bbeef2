"""One row of the upstreams: an API behind the gateway, and what it is lent.

Owns its members, their defaults and their limits; what each must be like is `forms`' business.
Never looks at two rows together (`between.py` does).
"""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from gateway.upstream_rows import forms

LARGEST_BODY: Final = 1_048_576
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
LONGEST_SECONDS: Final = 600
LARGEST_BODY_OF_ANY: Final = 1_099_511_627_776


def _of_list(value: Any) -> Any:
    # TOML has lists and no tuples, and what is no list is told as such.
    return tuple(value) if isinstance(value, list) else value


_Texts = tuple[str, ...]


class UpstreamRow(BaseModel):
    """One row; every member stands in docs/reference/upstreams.md.

    `prefix` is a path of ours, `target` the address that takes its place. `scope` is that of the token which is
    attached; without one there is no token, but still a session, unless the row is `anonymous`. `max_age` (s) is how
    long a confirmation is good, `timeout` (s) how long the head of an answer may take, `max_body` is in bytes. `reads`
    is a path of ours, of a row with GET: by it the resource is read that a merge patch of this row changes.
    Header names are in small letters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    name: Annotated[str, AfterValidator(forms.name)] = Field(
        description="a name of small letters, digits and hyphens", examples=["notes"]
    )
    prefix: Annotated[str, AfterValidator(forms.prefix)] = Field(
        description="a path below /api/ that the gateway does not answer itself, without a slash at its end",
        examples=["/api/notes"],
    )
    target: Annotated[str, AfterValidator(forms.target)] = Field(
        description="the address that takes the prefix's place",
        examples=["https://notes.internal.example/v1"],
    )
    methods: Annotated[_Texts, BeforeValidator(_of_list), AfterValidator(forms.methods)] = Field(
        ("GET", "HEAD"), description="a list of methods in capitals", examples=['["GET", "HEAD"]']
    )
    scope: Annotated[str, AfterValidator(forms.scope)] | None = Field(
        None, description="the full name of one scope", examples=["api://notes.example/Notes.Read"]
    )
    anonymous: bool = Field(default=False, description="true or false, without quotes")
    park: bool = Field(default=False, description="true or false, without quotes")
    max_age: Annotated[int, Field(ge=1, le=604_800)] | None = Field(
        None, description="whole seconds, 1 to 604800", examples=["300"]
    )
    websocket: bool = Field(default=False, description="true or false, without quotes")
    timeout: Annotated[float, Field(gt=0, le=LONGEST_SECONDS, allow_inf_nan=False)] = Field(
        30, description=f"seconds, above 0 and up to {LONGEST_SECONDS}", examples=["30"]
    )
    max_body: Annotated[int, Field(ge=0, le=LARGEST_BODY_OF_ANY)] = Field(
        LARGEST_BODY, description="whole bytes, 0 or more", examples=[str(LARGEST_BODY)]
    )
    cache: bool = Field(default=False, description="true or false, without quotes")
    allow_http: bool = Field(default=False, description="true or false, without quotes")
    request_headers: Annotated[_Texts, BeforeValidator(_of_list), AfterValidator(forms.request_headers)] = (
        Field((), description="a list of names of header fields that may go out", examples=['["X-Notebook"]'])
    )
    response_headers: Annotated[_Texts, BeforeValidator(_of_list), AfterValidator(forms.response_headers)] = (
        Field(
            (),
            description="a list of names of header fields that may come in",
            examples=['["X-Total-Count"]'],
        )
    )
    reads: Annotated[str, AfterValidator(forms.reads)] | None = Field(
        None, description="a path of the gateway's that answers GET", examples=["/api/notes"]
    )
