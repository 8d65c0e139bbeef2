"""Which settings the parts get, and from whom."""

from pathlib import Path

import pytest

from devstack.environment import Settings, dotenv, for_others, local_environment
from devstack.local_secrets import LocalSecrets
from devstack.ports import Ports

PORTS = Ports(gateway=4000, admin=4001, api=4002, tenant=4003, valkey=4004)
SECRETS = LocalSecrets()
ROOT = Path("/work copy")


def settings_with(own: Settings, redis_url: str | None = "redis://:p@127.0.0.1:4004/0") -> Settings:
    return local_environment(own, {}, PORTS, SECRETS, root=ROOT, redis_url=redis_url).settings


def parts_with(own: Settings) -> tuple[str, ...]:
    return local_environment(own, {}, PORTS, SECRETS, root=ROOT, redis_url=None).parts


def test_with_nothing_set_everything_is_filled_in_for_the_local_tenant() -> None:
    settings = settings_with({})

    assert settings["GATEWAY_PUBLIC_URL"] == settings["LOCAL_TENANT_GATEWAY_URL"] == "http://localhost:4000"
    assert settings["GATEWAY_AUTHORITY_MAP"] == settings["LOCAL_TENANT_PUBLIC_URL"] == "http://127.0.0.1:4003"
    assert settings["GATEWAY_CLIENT_SECRET"] == settings["LOCAL_TENANT_GATEWAY_SECRET"]
    assert settings["RESOURCE_API_CLIENT_SECRET"] == settings["LOCAL_TENANT_API_SECRET"]
    assert settings["RESOURCE_API_ALLOWED_CLIENTS"] == settings["GATEWAY_CLIENT_ID"]
    assert settings["GATEWAY_REDIS_URL"] == "redis://:p@127.0.0.1:4004/0"


def test_a_person_s_own_settings_win_over_what_is_filled_in() -> None:
    own = {"GATEWAY_SESSION_IDLE_SECONDS": "60", "GATEWAY_SEALING_KEYS": "mine", "GATEWAY_HOST": "::1"}

    assert settings_with(own).items() >= own.items()


def test_a_key_from_a_file_is_not_filled_in_a_second_time() -> None:
    assert "GATEWAY_SEALING_KEYS" not in settings_with({"GATEWAY_SEALING_KEYS_FILE": "keys.txt"})


def test_the_local_tenant_s_identity_wins_over_leftovers() -> None:
    """A client id, a certificate or a Graph address from `.env` would only be refused by the local tenant."""
    own = {
        "GATEWAY_CLIENT_ID": "old",
        "GATEWAY_CLIENT_CERTIFICATE": "old.pem",
        "RESOURCE_API_GRAPH_URL": "https://g",
    }
    settings = settings_with(own)

    assert settings["GATEWAY_CLIENT_ID"] == "0b9c7e64-2f1d-4a83-8e55-c1a4d0f6b7e2"
    assert settings["GATEWAY_CLIENT_CERTIFICATE"] == settings["RESOURCE_API_GRAPH_URL"] == ""


def test_a_real_tenant_is_left_as_it_is_and_no_local_one_is_started() -> None:
    own = {
        "GATEWAY_TENANT_SUBDOMAIN": "contoso",
        "GATEWAY_CLIENT_ID": "theirs",
        "RESOURCE_API_CLIENT_ID": "theirs",
    }
    settings = settings_with(own)

    assert settings.items() >= own.items()
    assert "GATEWAY_AUTHORITY_MAP" not in settings
    assert "GATEWAY_CLIENT_SECRET" not in settings
    assert parts_with(own) == ("api", "gateway")


def test_an_api_that_runs_elsewhere_is_not_started_here() -> None:
    own = {
        "GATEWAY_AUTHORITY": "https://login.example.com/v2.0",
        "GATEWAY_RESOURCE_API_URL": "https://api.example.com",
    }

    assert parts_with(own) == ("gateway",)
    assert parts_with(own | {"RESOURCE_API_CLIENT_ID": "ours"}) == ("api", "gateway")


def test_each_part_sees_its_own_settings_and_the_surroundings() -> None:
    around = {"PATH": "/bin", "GATEWAY_FROM_THE_SHELL": "1"}
    environment = local_environment({}, around, PORTS, SECRETS, root=ROOT, redis_url=None)

    for part, prefix in (("gateway", "GATEWAY_"), ("api", "RESOURCE_API_"), ("tenant", "LOCAL_TENANT_")):
        names = environment.for_part(part)
        others = {name for name in names if not name.startswith(prefix)}
        assert others == {"PATH", "PYTHONPATH", "PYTHONUNBUFFERED"}
        assert f"{prefix}PORT" in names
        assert "GATEWAY_FROM_THE_SHELL" not in names


def test_a_dotenv_file_is_read_as_the_services_read_it(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# ours\nGATEWAY_PORT=4000 # the gateway's\nexport GATEWAY_HOST='::1'\nGATEWAY_BARE\n")

    assert dotenv(file) == {"GATEWAY_PORT": "4000", "GATEWAY_HOST": "::1"}
    assert dotenv(tmp_path / "absent") == {}


@pytest.mark.parametrize(
    "url",
    [
        "https://profile.example.com",
        "http://192.168.1.7:3000",
        "https://localhost.example.com",
        "http://[2001:db8::1]",
    ],
)
def test_A7_S57_settings_of_a_service_for_others_are_refused_with_any_tenant(url: str) -> None:
    for tenant in ({}, {"GATEWAY_TENANT_SUBDOMAIN": "contoso"}):
        assert "GATEWAY_PUBLIC_URL" in str(for_others({"GATEWAY_PUBLIC_URL": url, **tenant}))


@pytest.mark.parametrize(
    "url", ["", "http://localhost:3000", "https://localhost", "http://127.0.0.1:3000", "http://[::1]:3000"]
)
def test_A7_S57_local_work_with_a_real_tenant_stays_possible(url: str) -> None:
    assert for_others({"GATEWAY_PUBLIC_URL": url, "GATEWAY_TENANT_SUBDOMAIN": "contoso"}) is None
