"""Settings from the environment, with every fault found at once and told in plain words.

Owns the way from environment variables (and a `.env` file in local work) to a frozen settings object: the `…_FILE`
form of secrets, and the sentence that a fault becomes. A fault in one setting hides none in another, and none between
them.
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

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, PrivateAttr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from servicekit.setting_mistakes import mistake_in
from servicekit.setting_names import near_misses
from servicekit.setting_sentences import is_secret, sentence_for, sentence_of

_LARGEST_FILE = 65_536


class SettingsFault(Exception):
    """The configuration can't be used; `lines` has one sentence for every fault, and `str()` all of them."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


class FaultsWithin(ValueError):
    """What a validator raises of one setting that has several faults, as a file with rows has: a sentence for each."""

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

        `texts` holds those that were set, by field name, whether or not each is right by itself; the text is empty
        where it could not be read. A sentence says that something `is missing.` only where it is not set at all.
        """
        yield from ()

    @classmethod
    def faults_beside(
        cls,
        environ: Mapping[str, str],  # noqa: ARG003 - for subclasses
        texts: Mapping[str, str],  # noqa: ARG003 - the same
    ) -> Iterator[str]:
        """Yield a sentence for every variable that is no setting and must not stand beside these; `texts` as above."""
        yield from ()


S = TypeVar("S", bound=EnvironmentSettings)


def _parts(value: object) -> object:
    if not isinstance(value, str):
        return value
    entries = tuple(filter(None, map(str.strip, value.split(","))))
    if any(re.search(r"[\s;|]", entry) for entry in entries) or value.startswith("["):
        raise ValueError("has entries that are not separated by commas alone")
    return entries


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
    read = {**_dot_env(env_file), **environ}
    texts = {name: text for name, text in read.items() if text.strip()}
    faults: list[str] = []
    field_texts: dict[str, str] = {}
    values: dict[str, Any] = {}
    files: dict[str, Path] = {}
    for name, field in settings.model_fields.items():
        variable = prefix + name.upper()
        if variable not in texts and not (_may_come_from_file(name, field) and f"{variable}_FILE" in texts):
            continue
        try:
            text, file = _text_of(variable, texts)
        except _Unusable as unusable:
            # It is set all the same, for what is wrong between settings.
            field_texts[name] = texts.get(variable, "").strip()
            faults.append(unusable.sentence)
            continue
        field_texts[name] = text
        if file is not None:
            files[name] = file
        if phrase := mistake_in(text, secret=is_secret(field)):
            faults.append(sentence_for(prefix, name, field, text, phrase))
        else:
            values[name] = text
    faults += near_misses(texts, prefix, _names(settings))
    named = {_variable(fault) for fault in faults}
    loaded: S | None = None
    try:
        loaded = settings(**values)
    except ValidationError as error:
        sentences = [
            sentence
            for details in error.errors()
            for sentence in _sentences(settings, details, field_texts, prefix)
        ]
        faults += [sentence for sentence in sentences if _variable(sentence) not in named]
    for sentence in settings.faults_between(field_texts):
        # What is set and cannot be used is not missing.
        if not (" is missing." in sentence and _variable(sentence) in named):
            faults.append(sentence)
    faults += settings.faults_beside(environ, field_texts)
    if faults or loaded is None:
        raise SettingsFault(faults)
    loaded._files.update(files)  # noqa: SLF001 - ours, and nobody else fills it
    return loaded


def _sentences(
    settings: type[EnvironmentSettings], details: ErrorDetails, texts: Mapping[str, str], prefix: str
) -> list[str]:
    """Return the sentences for what pydantic found in one setting: one, unless a validator told several."""
    within = details.get("ctx", {}).get("error")
    return (
        within.lines if isinstance(within, FaultsWithin) else [sentence_of(settings, details, texts, prefix)]
    )


def _variable(fault: str) -> str:
    """Return the variable that a fault is about: its first word."""
    return fault.split(maxsplit=1)[0].removesuffix("_FILE")


class _Nothing(BaseSettings):
    """What pydantic-settings' reader of `.env` files wants to be asked for."""


def _dot_env(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    try:
        # An editor of another system may leave a byte order mark, and the first name would not be one.
        read = DotEnvSettingsSource(
            _Nothing, env_file=path, env_file_encoding="utf-8-sig", case_sensitive=True
        ).env_vars
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is not text in UTF-8"
        raise SettingsFault([f"{path} can't be read: {reason}."]) from None
    return {name: text for name, text in read.items() if text is not None}


def _may_come_from_file(name: str, field: FieldInfo) -> bool:
    return is_secret(field) or name.endswith(("certificate", "keys"))


class _Unusable(Exception):
    """A setting has no text that could be judged; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _text_of(variable: str, texts: Mapping[str, str]) -> tuple[str, Path | None]:
    """Return the text of a variable, or of the file that `…_FILE` names, and that file; raises _Unusable."""
    text = texts.get(variable)
    path = texts.get(variable + "_FILE")
    if path is None:
        return (text or "").strip(), None
    if text is not None:
        raise _Unusable(f"{variable} and {variable}_FILE are both set. Keep one of them.")
    # Nobody means the spaces, or the end of line that an editor of another system leaves.
    file = Path(path.strip())
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_FILE + 1).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "not text in UTF-8"
        raise _Unusable(f"{variable}_FILE names {path!r}, which can't be read: {reason}.") from None
    if not content.strip() or len(content) > _LARGEST_FILE:
        raise _Unusable(
            f"{variable}_FILE names {path!r}, which is empty or larger than {_LARGEST_FILE} bytes."
        )
    return content.strip(), file


def _names(settings: type[EnvironmentSettings]) -> list[str]:
    """Return the names of all settings without their prefix, those of files among them."""
    fields = settings.model_fields.items()
    return [name.upper() for name, _ in fields] + [
        f"{name.upper()}_FILE" for name, field in fields if _may_come_from_file(name, field)
    ]
