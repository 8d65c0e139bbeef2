"""The configuration of the resource API: what is right, and how each fault reads (U28)."""

from pathlib import Path

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
    assert settings.discovery_url == (
        "https://stepuplocal.ciamlogin.com/stepuplocal.onmicrosoft.com/v2.0/.well-known/openid-configuration"
    )
    assert settings.graph_url == "https://graph.microsoft.com/v1.0"
    assert (settings.host, settings.port, settings.scope) == (
        "127.0.0.1",
        3001,
        "EditProfileService.ReadWrite",
    )
    assert settings.max_age_seconds is None
    assert settings.acrs is None
    assert API_SECRET not in repr(settings)


def test_another_authority_is_its_own_issuer() -> None:
    settings = load(AUTHORITY="https://login.example.com/t/v2.0", TENANT_SUBDOMAIN="", TENANT_ID="")

    assert settings.issuer == "https://login.example.com/t/v2.0"
    assert settings.discovery_url == "https://login.example.com/t/v2.0/.well-known/openid-configuration"
    assert settings.hosts == ("login.example.com", "graph.microsoft.com")


def test_an_issuer_that_ends_with_a_slash_is_kept_to_the_letter() -> None:
    settings = load(AUTHORITY="https://login.example.com/", TENANT_SUBDOMAIN="", TENANT_ID="")

    assert settings.issuer == "https://login.example.com/"
    assert settings.discovery_url == "https://login.example.com/.well-known/openid-configuration"


@pytest.mark.parametrize(
    "where", ["http://127.0.0.1:8400", "http://[::1]:8400", "http://tenant:8400", "https://far.example.net"]
)
def test_a_map_leads_to_a_machine_near_by_or_by_https(where: str) -> None:
    assert set(load(AUTHORITY_MAP=where).addresses.origins.values()) == {where}


def test_ids_are_read_in_either_case_and_lists_with_spaces() -> None:
    settings = load(CLIENT_ID=API.upper(), ALLOWED_CLIENTS=f" {GATEWAY.upper()} , {API},")

    assert settings.client_id == API
    assert settings.allowed_clients == (GATEWAY, API)


def test_with_nothing_set_every_missing_setting_is_told() -> None:
    with pytest.raises(SettingsFault) as caught:
        load_settings(Settings, {}, PREFIX)

    told = {line.split()[0] for line in caught.value.lines}
    assert told == {
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
        ("TENANT_ID", "contoso", ["'contoso'", "not a GUID", "such as 3f6c2a58"]),
        ("CLIENT_ID", "0", ["'0'", "not a GUID"]),
        ("TENANT_SUBDOMAIN", "https://x.ciamlogin.com", ["not the first part of a host name"]),
        ("ALLOWED_CLIENTS", "a,b", ["'a'", "not a GUID"]),
        ("ALLOWED_CLIENTS", ",", ["holds too little"]),
        ("SCOPE", f"api://{API}/X", ["without its api:// part"]),
        ("SCOPE", "two words", ["one scope name"]),
        ("GRAPH_URL", "http://graph.microsoft.com/v1.0", ["without encryption"]),
        ("GRAPH_URL", "graph", ["not a URL"]),
        ("GRAPH_URL", "https://[graph/v1.0", ["not a URL", "such as https://graph.microsoft.com/v1.0"]),
        ("GRAPH_URL", "https://graph.microsoft.com:99999/v1.0", ["not a URL"]),
        ("GRAPH_URL", "https://name:word@graph.microsoft.com/v1.0", ["not a URL"]),
        ("PORT", "eighty", ["'eighty'", "not a whole number", "such as 3001"]),
        ("PORT", "70000", ["above 65535"]),
        ("MAX_AGE_SECONDS", "1", ["below 60"]),
        ("ACRS", "mfa", ["another form", "such as c1"]),
        ("LOG_LEVEL", "LOUD", ["'LOUD'", "DEBUG"]),
        ("AUTHORITY_MAP", "nonsense", ["not an origin"]),
        ("AUTHORITY_MAP", "http://192.0.2.7:8400", ["without encryption", "local work"]),
        ("AUTHORITY_MAP", "a.example=https://x,b.example=http://b.example.net", ["without encryption"]),
        ("AUTHORITY_MAP", "http://[2001:db8::1]:8400", ["without encryption"]),
        ("CA_BUNDLE", "/nowhere.pem", ["'/nowhere.pem'", "can't be read"]),
        ("STATE_DIRECTORY", "/nowhere", ["'/nowhere'", "no directory that can be written"]),
        ("CLIENT_CERTIFICATE", "/nowhere.pem", ["both set"]),
        ("AUTHORITY", "https://login.example.com", ["Keep one of them"]),
        ("CLIENT_SECRET", "11111111-2222-4333-8444-555555555555", ["looks like the id of a secret"]),
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


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from-a-file\n")

    settings = load(CLIENT_SECRET="", CLIENT_SECRET_FILE=str(path))

    assert settings.credential() == "from-a-file"


def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "pem"
    path.write_text("-----BEGIN NONSENSE-----")

    (line,) = faults(CLIENT_SECRET="", CLIENT_CERTIFICATE=str(path))
    assert line.startswith("RESOURCE_API_CLIENT_CERTIFICATE holds no unencrypted private key")
