"""What only the gateway is told: its scopes, and what is wrong between its settings (U28)."""

import pytest

from tests.unit.test_settings_of_both_services import GATEWAYS, faults


def test_faults_between_the_gateway_s_settings_show_beside_others() -> None:
    lines = faults(
        GATEWAYS,
        SESSION_ABSOLUTE_SECONDS="60",
        ADMIN_PORT="03000",
        PUBLIC_URL="https://profile.example.com/app",
        AUTHORITY_MAP="http://127.0.0.1:8400",
        REDIS_URL="redis://:word@redis",
        REDIS_PASSWORD_FILE="/nowhere",
        EDIT_PROFILE_SCOPE="User.Read",
        TRUSTED_PROXIES="10.0.0.0/8 172.16.0.0/12",
        SEALING_KEYS="c2hvcnQ,bG9uZ2Vy",
    )

    for says in (
        "SESSION_IDLE_SECONDS is longer than GATEWAY_SESSION_ABSOLUTE_SECONDS: 1800 and 60",
        "ADMIN_PORT is GATEWAY_PORT",
        "PUBLIC_URL is 'https://profile.example.com/app', which has a path",
        "AUTHORITY_MAP is for local work only",
        "REDIS_PASSWORD_FILE is '/nowhere', which is not a file",
        "REDIS_PASSWORD_FILE is set, and GATEWAY_REDIS_URL holds a password too",
        "EDIT_PROFILE_SCOPE is a name alone",
        "EDIT_PROFILE_SCOPE is the same as GATEWAY_GRAPH_SCOPE",
        "TRUSTED_PROXIES is '10.0.0.0/8 172.16.0.0/12', which has entries that are not separated by commas",
        "has a key, number 1, that holds 5 bytes instead of 32, and has a key, number 2,",
    ):
        assert [line for line in lines if says in line], says
    assert len(lines) == 10


@pytest.mark.parametrize(
    "scope",
    [
        "User.ReadWrite",
        "User.ReadWrite.All",
        "https://graph.microsoft.com/User.ReadWrite",
        "user.readwrite",
        "Directory.AccessAsUser.All",
        "User.ManageIdentities.All",
        "profile:write",
        "user_impersonation",
        "Mail.Send",
    ],
)
def test_F4_a_scope_that_lets_somebody_write_is_refused_for_reading(scope: str) -> None:
    (line,) = faults(GATEWAYS, GRAPH_SCOPE=scope)

    assert line.startswith(f"GATEWAY_GRAPH_SCOPE is '{scope}', which lets its holder write")


@pytest.mark.parametrize(
    "scope",
    ["User.Read", "User.ReadBasic.All", "https://graph.microsoft.com/User.Read", "profile", "read:me"],
)
def test_F4_a_scope_for_reading_is_taken(scope: str) -> None:
    assert faults(GATEWAYS, GRAPH_SCOPE=scope) == []
