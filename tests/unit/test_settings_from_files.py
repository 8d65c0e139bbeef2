"""Secrets and settings from files, as editors of every system leave them, in both services (U28)."""

from pathlib import Path

import pytest

from servicekit.authority_settings import AuthoritySettings
from servicekit.settings_faults import SettingsFault, load_settings
from tests.stage.tenant import TENANT_ID
from tests.unit.test_settings_of_both_services import BOTH, COMPLETE, faults


def written(tmp_path: Path, content: bytes) -> Path:
    """Return a file with this content."""
    path = tmp_path / "it"
    path.write_bytes(content)
    return path


@BOTH
@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbfa-secret-of-an-editor\r\n", b"  a-secret-of-an-editor  \n", b"a-secret-of-an-editor"],
)
def test_a_file_of_a_secret_is_read_as_other_systems_write_it(
    service: type[AuthoritySettings], tmp_path: Path, content: bytes
) -> None:
    texts = COMPLETE[service] | {"CLIENT_SECRET": "", "CLIENT_SECRET_FILE": f"{written(tmp_path, content)}\r"}
    settings = load_settings(
        service, {service.prefix + key: value for key, value in texts.items()}, service.prefix
    )

    assert settings.credential() == "a-secret-of-an-editor"


@BOTH
@pytest.mark.parametrize(
    "content, says",
    [
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        ("a-secret".encode("utf-16"), "not text in UTF-8"),
        (b'"a-secret-in-quotes"', "is set, but is in quotes"),
        (b"<your-client-secret>", "is set, but is a placeholder"),
        (b"11111111-2222-4333-8444-555555555555", "looks like the id of a secret"),
    ],
)
def test_a_file_of_a_secret_that_cannot_be_meant_is_explained(
    service: type[AuthoritySettings], tmp_path: Path, content: bytes, says: str
) -> None:
    (line,) = faults(service, CLIENT_SECRET="", CLIENT_SECRET_FILE=str(written(tmp_path, content)))

    assert says in line


@BOTH
@pytest.mark.parametrize(
    "content, says",
    [("\ufeff", ""), ("{}".encode("utf-16").decode("latin-1"), "can't be read: it is not text in UTF-8")],
)
def test_a_dot_env_file_of_another_system_is_read_or_refused_in_a_sentence(
    service: type[AuthoritySettings], tmp_path: Path, content: str, says: str
) -> None:
    lines = "".join(f"{service.prefix}{name}={text}\r\n" for name, text in COMPLETE[service].items())
    path = tmp_path / ".env"
    path.write_bytes(content.encode("latin-1" if says else "utf-8") + lines.encode())

    def load() -> AuthoritySettings:
        return load_settings(service, {}, service.prefix, env_file=path)

    if says:
        with pytest.raises(SettingsFault, match=says):
            load()
    else:
        assert load().tenant_id == TENANT_ID
