"""Settings from the environment, with every fault found at once and told in plain words.

Owns the way from environment variables (and a `.env` file in local work) to a frozen settings object: the `…_FILE`
form of secrets, names that are nearly right, and the sentence that a fault becomes.
Never reads `os.environ` itself, never shows a secret's value, and knows no setting by name.

How a service uses it:

    class Settings(EnvironmentSettings):
        port: int = Field(3001, ge=1, le=65535, description="the port to listen on", examples=["3001"])
        client_secret: SecretStr | None = Field(None, description="…", examples=["…"])
        allowed: CommaSeparated = Field(description="client ids, comma-separated", examples=["a,b"])

        @classmethod
        def faults_between(cls, given: Mapping[str, str]) -> Iterator[str]:   # optional
            if "client_secret" not in given: yield "RESOURCE_API_CLIENT_SECRET is missing: …"

    settings = load_settings(Settings, os.environ, "RESOURCE_API_", env_file=Path(".env"))   # or SettingsFault

`description` says what would be right, `examples[0]` shows it; both end up in the fault's sentence.
A validator raises ValueError with a phrase that goes on from "which": `is not an https URL`.
In `__main__`: `except SettingsFault as fault: print(fault, file=sys.stderr); sys.exit(2)`.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BeforeValidator, PrivateAttr, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

_LARGEST_FILE = 65_536
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


class SettingsFault(Exception):
    """The configuration can't be used; `lines` has one sentence for every fault, and `str()` all of them."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


class EnvironmentSettings(BaseSettings):
    """The root of a service's settings: frozen, strict about names, and filled by `load_settings` alone."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", validate_default=False, hide_input_in_errors=True
    )
    _files: dict[str, Path] = PrivateAttr(default_factory=dict)

    @property
    def files(self) -> Mapping[str, Path]:
        """The files that settings were read from, by field name, for what is read again when its file changes."""
        return self._files

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from the constructor only, so that an environment is always something passed in."""
        return (init_settings,)

    @classmethod
    def faults_between(cls, texts: Mapping[str, str]) -> Iterator[str]:  # noqa: ARG003 - for subclasses
        """Yield a sentence for every fault that shows only when several settings are seen together.

        `texts` holds those that were set, by field name, whether or not each is right by itself.
        """
        yield from ()


S = TypeVar("S", bound=EnvironmentSettings)


def _parts(value: object) -> object:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], BeforeValidator(_parts)]


def load_settings(
    settings: type[S], environ: Mapping[str, str], prefix: str, *, env_file: Path | None = None
) -> S:
    """Return the settings that `environ` holds under `prefix`; `env_file` fills in what `environ` leaves open.

    An empty value counts as not set. A field that holds a secret, or is called certificate or keys, may come from
    a file that `…_FILE` names. A name that is no setting is a fault if it looks like one; otherwise it is left
    alone, because orchestrators add variables of their own (`…_PORT_3001_TCP`, `…_SERVICE_HOST`).
    Raises SettingsFault with all faults.
    """
    texts = {name: text for name, text in {**_dot_env(env_file), **environ}.items() if text.strip()}
    faults: list[str] = []
    field_texts: dict[str, str] = {}
    files: dict[str, Path] = {}
    for name, field in settings.model_fields.items():
        variable = prefix + name.upper()
        text = _text_of(variable, texts, faults, from_file=_may_come_from_file(name, field))
        if text is not None:
            field_texts[name] = text
            if variable not in texts:
                files[name] = Path(texts[f"{variable}_FILE"])
    faults += _near_misses(settings, texts, prefix)
    named = {_variable(fault) for fault in faults}
    loaded: S | None = None
    sentences: list[str] = []
    values: dict[str, Any] = dict(field_texts)
    try:
        loaded = settings(**values)
    except ValidationError as error:
        sentences += [_sentence(settings, details, field_texts, prefix) for details in error.errors()]
    sentences += settings.faults_between(field_texts)
    faults += [fault for fault in sentences if _variable(fault) not in named]
    if faults or loaded is None:
        raise SettingsFault(faults)
    loaded._files.update(files)  # noqa: SLF001 - ours, and nobody else fills it
    return loaded


def _variable(fault: str) -> str:
    """Return the variable that a fault is about: its first word."""
    return fault.split(maxsplit=1)[0].removesuffix("_FILE")


class _Nothing(BaseSettings):
    """What pydantic-settings' reader of `.env` files wants to be asked for."""


def _dot_env(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    read = DotEnvSettingsSource(_Nothing, env_file=path, case_sensitive=True).env_vars
    return {name: text for name, text in read.items() if text is not None}


def _is_secret(field: FieldInfo) -> bool:
    return _holds_secret(field.annotation)


def _holds_secret(annotation: object) -> bool:
    """Look into `Annotated[SecretStr, …] | None` and the like, however deep."""
    return annotation is SecretStr or any(map(_holds_secret, get_args(annotation)))


def _may_come_from_file(name: str, field: FieldInfo) -> bool:
    return _is_secret(field) or name.endswith(("certificate", "keys"))


def _text_of(variable: str, texts: Mapping[str, str], faults: list[str], *, from_file: bool) -> str | None:
    text = texts.get(variable)
    path = texts.get(variable + "_FILE") if from_file else None
    if path is None:
        return text.strip() if text is not None else None
    if text is not None:
        faults.append(f"{variable} and {variable}_FILE are both set. Keep one of them.")
        return None
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1).decode()
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "not text"
        faults.append(f"{variable}_FILE names {path!r}, which can't be read: {reason}.")
        return None
    if not content.strip() or len(content) > _LARGEST_FILE:
        faults.append(f"{variable}_FILE names {path!r}, which is empty or larger than {_LARGEST_FILE} bytes.")
        return None
    return content.strip()


def _near_misses(settings: type[EnvironmentSettings], texts: Mapping[str, str], prefix: str) -> Iterator[str]:
    fields = settings.model_fields.items()
    names = [name.upper() for name, _ in fields]
    names += [f"{name.upper()}_FILE" for name, field in fields if _may_come_from_file(name, field)]
    for variable in sorted(texts):
        name = variable.removeprefix(prefix)
        if variable == name or name in names:
            continue
        stem = name.upper().removesuffix("_FILE")
        near = [stem] if stem in names else difflib.get_close_matches(name.upper(), names, n=1, cutoff=0.75)
        if near:
            yield f"{variable} is no setting. Did you mean {prefix}{near[0]}?"


def _sentence(
    settings: type[EnvironmentSettings], details: ErrorDetails, texts: Mapping[str, str], prefix: str
) -> str:
    name = str(details["loc"][0]) if details["loc"] else ""
    field = settings.model_fields.get(name)
    if field is None:
        return str(details.get("ctx", {}).get("error", details["msg"]))
    right = f"It should be {field.description}" if field.description else ""
    if field.examples:
        right += f", such as {field.examples[0]}"
    right = right and f" {right}."
    variable = prefix + name.upper()
    if details["type"] == "missing":
        return f"{variable} is missing.{right}"
    subject = (
        f"{variable} is set, but" if _is_secret(field) else f"{variable} is {_shown(texts[name])}, which"
    )
    return f"{subject} {_phrase(details)}.{right}"


def _phrase(details: ErrorDetails) -> str:
    context: dict[str, Any] = details.get("ctx", {})
    if details["type"] == "value_error":
        return str(context["error"])
    phrase = _PHRASES.get(details["type"])
    return phrase.format(**context) if phrase else f"does not fit ({details['msg'].lower()})"


def _shown(text: str) -> str:
    """Return a value as a sentence shows it: not too long, and without what an address holds to sign in with."""
    text = _USER_INFO.sub("//…@", text)
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
