"""Settings from an environment: all faults at once, in words, and no secret among them (U28)."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import Field, SecretStr, ValidationError, field_validator

from servicekit.settings_faults import (
    CommaSeparated,
    EnvironmentSettings,
    FaultsWithin,
    SettingsFault,
    load_settings,
)


class Shop(EnvironmentSettings):
    """Settings of nothing in particular."""

    name: str = Field(description="the shop's name", examples=["Corner"])
    port: int = Field(80, ge=1, le=65535, description="the port", examples=["80"])
    open: bool = Field(default=True, description="1 or 0")
    secret: SecretStr | None = Field(None, min_length=5, description="the till's secret")
    sealing_keys: CommaSeparated = Field(default=(), description="keys, comma-separated")
    url: str = Field("https://x", description="an https address")

    @field_validator("url")
    @classmethod
    def _https(cls, text: str) -> str:
        if not text.startswith("https:"):
            raise ValueError("is not https")
        if text.endswith("?"):
            raise FaultsWithin(["SHOP_URL leads nowhere.", "SHOP_URL asks nothing."])
        return text

    @classmethod
    def faults_between(cls, texts: Mapping[str, str]) -> Iterator[str]:
        if texts.get("name") == "Bank" and "secret" not in texts:
            yield "SHOP_SECRET is missing: a bank needs one."


def load(**environ: str) -> Shop:
    return load_from(None, **environ)


def load_from(env_file: Path | None, /, **environ: str) -> Shop:
    return load_settings(
        Shop, {f"SHOP_{name}": text for name, text in environ.items()}, "SHOP_", env_file=env_file
    )


def faults(**environ: str) -> list[str]:
    with pytest.raises(SettingsFault) as caught:
        load(**environ)
    assert str(caught.value) == "\n".join(caught.value.lines)
    return caught.value.lines


def test_texts_become_values() -> None:
    shop = load(NAME=" Corner ", PORT="81", OPEN="0", SECRET="s3cret", SEALING_KEYS="a, b,,")

    assert (shop.name, shop.port, shop.open, shop.sealing_keys) == ("Corner", 81, False, ("a", "b"))
    assert "s3cret" not in repr(shop)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load(NAME="Corner").port = 1  # type: ignore[misc] # that is the point


def test_the_environment_of_the_process_is_never_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_NAME", "Other")
    monkeypatch.setenv("NAME", "Other")

    assert faults() == ["SHOP_NAME is missing. It should be the shop's name, such as Corner."]


def test_every_fault_is_told_in_one_sentence_each() -> None:
    assert faults(PORT="x", OPEN="maybe", SECRET="abc", URL="http://y", SEALING_KEY="z") == [
        "SHOP_SEALING_KEY is no setting. Did you mean SHOP_SEALING_KEYS?",
        "SHOP_NAME is missing. It should be the shop's name, such as Corner.",
        "SHOP_PORT is 'x', which is not a whole number. It should be the port, such as 80.",
        "SHOP_OPEN is 'maybe', which is neither 1 nor 0. It should be 1 or 0.",
        "SHOP_SECRET is set, but holds too little. It should be the till's secret.",
        "SHOP_URL is 'http://y', which is not https. It should be an https address.",
    ]


def test_what_a_validator_tells_in_several_sentences_is_told_in_them() -> None:
    assert faults(NAME="Bank", URL="https://?") == [
        "SHOP_URL leads nowhere.",
        "SHOP_URL asks nothing.",
        "SHOP_SECRET is missing: a bank needs one.",
    ]


def test_faults_between_settings_come_with_the_others() -> None:
    sentences = faults(NAME="Bank", PORT="0")

    assert sentences[0].startswith("SHOP_PORT is '0', which is below 1.")
    assert sentences[1] == "SHOP_SECRET is missing: a bank needs one."


def test_empty_is_not_set() -> None:
    assert load(NAME="Corner", PORT=" ").port == 80


def test_a_long_value_is_shown_in_part() -> None:
    assert len(faults(NAME="Corner", PORT="9" * 5000)[0]) < 200


@pytest.mark.parametrize("name, field", [("SECRET", "secret"), ("SEALING_KEYS", "sealing_keys")])
def test_secrets_may_come_from_files(tmp_path: Path, name: str, field: str) -> None:
    path = tmp_path / "it"
    path.write_text("from-file\n")

    value = getattr(load(NAME="Corner", **{f"{name}_FILE": str(path)}), field)
    assert (value.get_secret_value() if isinstance(value, SecretStr) else value[0]) == "from-file"


def test_only_secrets_come_from_files(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_text("81")

    assert faults(NAME="Corner", PORT_FILE=str(path))[0].startswith("SHOP_PORT_FILE is no setting.")


def test_a_file_that_cannot_be_used_is_one_fault(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe")
    for path, sentence in [
        (tmp_path / "none", "No such file"),
        (tmp_path, "directory"),
        (empty, "empty"),
        (binary, "not text"),
    ]:
        (line,) = faults(NAME="Bank", SECRET_FILE=str(path))
        assert line.startswith("SHOP_SECRET_FILE names ")
        assert sentence in line


def test_a_value_and_its_file_are_one_too_many(tmp_path: Path) -> None:
    (line,) = faults(NAME="Corner", SECRET="canary", SECRET_FILE=str(tmp_path))

    assert line == "SHOP_SECRET and SHOP_SECRET_FILE are both set. Keep one of them."


def test_a_dot_env_file_fills_in_what_the_environment_leaves_open(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# local\nSHOP_NAME='From file'\nSHOP_PORT=81\nexport SHOP_SECRET=abcdef\nOTHER=x\nSHOP_URL=\n"
    )

    shop = load_from(path, PORT="82")
    assert (shop.name, shop.port, shop.url) == ("From file", 82, "https://x")
    assert load_from(tmp_path / "absent", NAME="x").name == "x"


def test_names_of_orchestrators_are_left_alone() -> None:
    assert load(NAME="x", SERVICE_HOST="h", PORT_80_TCP="t", PORT_80_TCP_ADDR="a").port == 80
