"""The configuration of the resource API: what is right, and how each fault reads (U28)."""

import pytest

from resource_api.settings import PREFIX, Settings
from servicekit.settings_faults import SettingsFault, load_settings
from tests.stage.tenant import API, API_SECRET, GATEWAY, TENANT_ID

GOOD = {
    "RESOURCE_API_TENANT_SUBDOMAIN": "stepuplocal",
    "RESOURCE_API_TENANT_ID": TENANT_ID,
    "RESOURCE_API_CLIENT_ID": API,
    "RESOURCE_API_CLIENT_SECRET": API_SECRET,
    "RESOURCE_API_ALLOWED_CLIENTS": GATEWAY,
}


def faults(**changed: str) -> list[str]:
    """Return the sentences for a good configuration with changes; an empty text removes a setting."""
    with pytest.raises(SettingsFault) as caught:
        load(**changed)
    return caught.value.lines


def load(**changed: str) -> Settings:
    return load_settings(
        Settings, {**GOOD, **{PREFIX + name: text for name, text in changed.items()}}, PREFIX
    )


def test_five_settings_are_enough() -> None:
    settings = load()

    assert settings.issuer == f"https://{TENANT_ID}.ciamlogin.com/{TENANT_ID}/v2.0"
    assert (settings.host, settings.port, settings.scope) == (
        "127.0.0.1",
        3001,
        "EditProfileService.ReadWrite",
    )
    assert settings.max_age_seconds is None
    assert settings.acrs is None
    assert API_SECRET not in repr(settings)


@pytest.mark.parametrize("authority", ["https://login.example.com/t/v2.0", "https://login.example.com/"])
@pytest.mark.parametrize("tenant_id", ["", TENANT_ID])
def test_another_authority_is_its_own_issuer_to_the_letter(authority: str, tenant_id: str) -> None:
    settings = load(AUTHORITY=authority, TENANT_SUBDOMAIN="", TENANT_ID=tenant_id)

    assert settings.issuer == authority


def test_ids_are_read_in_either_case_and_lists_with_spaces() -> None:
    settings = load(CLIENT_ID=API.upper(), ALLOWED_CLIENTS=f" {GATEWAY.upper()} , {API},")

    assert settings.client_id == API
    assert settings.allowed_clients == (GATEWAY, API)


def test_with_nothing_set_every_missing_setting_is_told() -> None:
    with pytest.raises(SettingsFault) as caught:
        load_settings(Settings, {}, PREFIX)

    named = {line.split()[0] for line in caught.value.lines}
    assert named == {
        "RESOURCE_API_TENANT_SUBDOMAIN",
        "RESOURCE_API_TENANT_ID",
        "RESOURCE_API_CLIENT_ID",
        "RESOURCE_API_CLIENT_SECRET",
        "RESOURCE_API_ALLOWED_CLIENTS",
    }
    assert all("is missing. It should be" in line for line in caught.value.lines)


@pytest.mark.parametrize(
    "name, text, parts",
    [
        ("CLIENT_ID", "0", ["'0'", "not a GUID"]),
        ("ALLOWED_CLIENTS", "a,b", ["'a'", "not a GUID"]),
        ("ALLOWED_CLIENTS", ",", ["holds too little"]),
        ("SCOPE", f"api://{API}/X", ["without its api:// part"]),
        ("SCOPE", "two words", ["one scope name"]),
        ("PORT", "eighty", ["'eighty'", "not a whole number", "such as 3001"]),
        ("MAX_AGE_SECONDS", "1", ["below 60"]),
        ("ACRS", "mfa", ["another form", "such as c1"]),
        ("STATE_DIRECTORY", "/nowhere", ["'/nowhere'", "no directory that can be written"]),
        ("CLIENT_SECRET_FILE", "/nowhere", ["both set"]),
    ],
)
def test_a_fault_names_the_setting_what_is_wrong_and_what_is_right(
    name: str, text: str, parts: list[str]
) -> None:
    lines = [line for line in faults(**{name: text}) if name.removesuffix("_FILE") in line]

    assert lines
    for part in parts:
        assert any(part in line for line in lines), lines
    assert API_SECRET not in "".join(lines)


def test_all_faults_are_told_at_once() -> None:
    lines = faults(PORT="x", TENANT_ID="y", CLIENT_SECRET="", LOG_LEVEL="z")

    assert len(lines) == 4


def test_a_name_nearly_right_is_a_fault_and_a_strange_one_is_not() -> None:
    assert faults(ALOWED_CLIENTS="x") == [
        "RESOURCE_API_ALOWED_CLIENTS is no setting. Did you mean RESOURCE_API_ALLOWED_CLIENTS?"
    ]
    assert load(SERVICE_HOST="10.0.0.1", PORT_3001_TCP_ADDR="10.0.0.1").port == 3001
