"""Settings: every fault at once, in words, without secrets."""

import base64
from pathlib import Path

import pytest

from gateway.settings import PREFIX, Settings
from servicekit.settings_faults import SettingsFault, load_settings
from tests.stage.tenant import EDIT, GATEWAY, TENANT_ID
from tests.stage.world import SEALING_KEY, gateway_settings

COMPLETE = {
    "GATEWAY_TENANT_SUBDOMAIN": "stepuplocal",
    "GATEWAY_TENANT_ID": TENANT_ID,
    "GATEWAY_CLIENT_ID": GATEWAY,
    "GATEWAY_CLIENT_SECRET": "a-secret-that-nobody-may-see",
    "GATEWAY_EDIT_PROFILE_SCOPE": EDIT,
    "GATEWAY_REDIS_URL": "redis://:redis-word-that-nobody-may-see@127.0.0.1:1/0",
    "GATEWAY_SEALING_KEYS": SEALING_KEY,
}


def faults_of(**changed: str | None) -> list[str]:
    """Return what is told about the complete settings with some changed, or taken away."""
    environment = {**COMPLETE, **{PREFIX + name: text or "" for name, text in changed.items()}}
    with pytest.raises(SettingsFault) as fault:
        load_settings(Settings, environment, PREFIX)
    return fault.value.lines


def test_complete_settings_have_no_fault() -> None:
    settings = load_settings(Settings, COMPLETE, PREFIX)

    assert settings.issuer == f"https://{TENANT_ID}.ciamlogin.com/{TENANT_ID}/v2.0"
    assert settings.redirect_uri == "http://localhost:3000/auth/callback"
    assert settings.ring == [base64.urlsafe_b64decode(SEALING_KEY)]


@pytest.mark.parametrize(
    "changed, says",
    [
        ({"EDIT_PROFILE_SCOPE": None}, "GATEWAY_EDIT_PROFILE_SCOPE is missing. It should be the full name"),
        (
            {"EDIT_PROFILE_SCOPE": "two scopes"},
            "GATEWAY_EDIT_PROFILE_SCOPE is 'two scopes', which has another form",
        ),
        ({"REDIS_URL": None}, "GATEWAY_REDIS_URL is missing. It should be the address of Redis"),
        ({"REDIS_URL": "http://x"}, "GATEWAY_REDIS_URL is set, but is not a Redis address"),
        ({"SEALING_KEYS": None}, "GATEWAY_SEALING_KEYS is missing."),
        (
            {"SEALING_KEYS": "c2hvcnQ"},
            "GATEWAY_SEALING_KEYS is set, but has a key, number 1, that holds 5 bytes",
        ),
        ({"SEALING_KEYS": f"{SEALING_KEY},"}, "has a key, number 2, that holds 0 bytes instead of 32"),
        ({"PUBLIC_URL": "http://a.example"}, "GATEWAY_PUBLIC_URL is 'http://a.example', which is plain http"),
        ({"PUBLIC_URL": "http://profile"}, "the session cookie is only sent over https, or on localhost"),
        ({"PUBLIC_URL": "https://a.example/app"}, "which has a path"),
        ({"PUBLIC_URL": "a.example"}, "which is not an http or https address"),
        ({"PUBLIC_URL": "HTTP://profile"}, "the session cookie is only sent over https, or on localhost"),
        ({"PUBLIC_URL": "https://[a.example"}, "which is not an http or https address"),
        ({"PUBLIC_URL": "https://name:word@a.example"}, "'https://…@a.example', which holds a user name or"),
        ({"RESOURCE_API_URL": "http://a.example"}, "which is plain http to another machine"),
        ({"RESOURCE_API_URL": "http://[2001:db8::1]:3001"}, "which is plain http to another machine"),
        ({"RESOURCE_API_URL": "http://3232235777:3001"}, "which is plain http to another machine"),
        (
            {"RESOURCE_API_URL": "http://name:word@api:3001"},
            "'http://…@api:3001', which holds a user name or",
        ),
        (
            {"REDIS_CA_BUNDLE": "/nowhere.pem"},
            "GATEWAY_REDIS_CA_BUNDLE is '/nowhere.pem', which is not a file that can be read",
        ),
        ({"REDIS_CA_BUNDLE": __file__}, "which holds no certificates in PEM form"),
        ({"ADMIN_PORT": "3000"}, "GATEWAY_ADMIN_PORT is GATEWAY_PORT, which is published."),
        ({"ADMIN_PORT": "4000", "PORT": "4000"}, "GATEWAY_ADMIN_PORT is GATEWAY_PORT"),
        ({"ADMIN_NAMES": "a.example,http://b.example"}, "which is no name of a host alone"),
        ({"ADMIN_NAMES": "a.example:9000"}, "which is no name of a host alone"),
        ({"PORT": "0"}, "GATEWAY_PORT is '0', which is below 1"),
        ({"SESSION_IDLE_SECONDS": "7200", "SESSION_ABSOLUTE_SECONDS": "3600"}, "is longer than"),
        ({"RESPONSE_MODE": "fragment"}, "GATEWAY_RESPONSE_MODE is 'fragment', which has another form"),
        ({"SEALNG_KEYS": "x"}, "GATEWAY_SEALNG_KEYS is no setting. Did you mean GATEWAY_SEALING_KEYS?"),
    ],
)
def test_a_fault_names_the_variable_what_is_wrong_and_what_would_be_right(
    changed: dict[str, str | None], says: str
) -> None:
    (line,) = faults_of(**changed)

    assert says in line
    assert line.endswith((".", "?"))


def test_an_empty_environment_tells_everything_that_is_needed_at_once() -> None:
    with pytest.raises(SettingsFault) as fault:
        load_settings(Settings, {}, PREFIX)

    named = {line.split()[0] for line in fault.value.lines}
    assert named == {
        "GATEWAY_CLIENT_ID",
        "GATEWAY_EDIT_PROFILE_SCOPE",
        "GATEWAY_REDIS_URL",
        "GATEWAY_SEALING_KEYS",
        "GATEWAY_TENANT_SUBDOMAIN",
        "GATEWAY_TENANT_ID",
        "GATEWAY_CLIENT_SECRET",
    }


def test_several_faults_are_told_together() -> None:
    lines = faults_of(PORT="0", TENANT_ID="x", CLIENT_SECRET="short", PUBLIC_URL="ftp://x")

    assert len(lines) == 4


def test_S35_no_secret_is_ever_shown() -> None:
    lines = faults_of(
        CLIENT_SECRET="hunter2",
        CLIENT_CERTIFICATE="hunter2-certificate",
        SEALING_KEYS="hunter2-key",
        REDIS_URL="http://hunter2@redis",
    )

    assert len(lines) >= 4
    assert "hunter2" not in "\n".join(lines)
    settings = load_settings(Settings, COMPLETE, PREFIX)
    for text in (str(settings), repr(settings), settings.model_dump_json()):
        for secret in ("nobody-may-see", SEALING_KEY.rstrip("=")):
            assert secret not in text


def test_secrets_may_come_from_files(tmp_path: Path) -> None:
    secret, keys = tmp_path / "secret", tmp_path / "keys"
    secret.write_text("from-a-file-with-a-line-end\n")
    keys.write_text(f"{SEALING_KEY}\n")
    environment = {
        name: text for name, text in COMPLETE.items() if "SECRET" not in name and "KEYS" not in name
    }

    settings = load_settings(
        Settings,
        {**environment, "GATEWAY_CLIENT_SECRET_FILE": str(secret), "GATEWAY_SEALING_KEYS_FILE": str(keys)},
        PREFIX,
    )

    assert settings.credential() == "from-a-file-with-a-line-end"
    assert len(settings.ring) == 1


def test_S57_the_map_of_local_work_is_refused_anywhere_else() -> None:
    (line,) = faults_of(PUBLIC_URL="https://profile.example.com", AUTHORITY_MAP="http://127.0.0.1:8400")

    assert "GATEWAY_AUTHORITY_MAP is for local work only" in line
    assert gateway_settings(REDIS_URL="redis://x", AUTHORITY_MAP="http://127.0.0.1:8400").addresses.origins


def test_the_map_is_refused_too_where_the_public_address_cannot_be_read() -> None:
    lines = faults_of(PUBLIC_URL="http://[a.example", AUTHORITY_MAP="http://127.0.0.1:8400")

    assert [line.split()[0] for line in lines] == ["GATEWAY_PUBLIC_URL", "GATEWAY_AUTHORITY_MAP"]


@pytest.mark.parametrize(
    "url", ["http://resource-api:3001", "http://[::1]:3001", "https://api.example.com/v1"]
)
def test_the_resource_api_is_near_by_or_reached_by_https(url: str) -> None:
    assert (
        load_settings(Settings, COMPLETE | {"GATEWAY_RESOURCE_API_URL": url}, PREFIX).resource_api_url == url
    )


def test_a_domain_of_the_tenants_own_leaves_its_issuer_named_after_its_id() -> None:
    settings = load_settings(
        Settings,
        COMPLETE | {"GATEWAY_TENANT_SUBDOMAIN": "", "GATEWAY_AUTHORITY": "https://login.example.com/t/v2.0"},
        PREFIX,
    )

    assert settings.issuer == f"https://{TENANT_ID}.ciamlogin.com/{TENANT_ID}/v2.0"
