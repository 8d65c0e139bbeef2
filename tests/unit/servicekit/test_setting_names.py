"""Variables that are no setting: which one was meant, and which are somebody else's."""

from typing import Final

import pytest

from servicekit.setting_names import near_misses

NAMES: Final = (
    "CLIENT_ID",
    "CLIENT_SECRET",
    "CLIENT_SECRET_FILE",
    "PORT",
    "HOST",
    "PUBLIC_URL",
    "REDIS_URL",
    "TENANT_ID",
)


@pytest.mark.parametrize(
    "variable, meant",
    [
        ("GATEWAY_CLEINT_ID", "GATEWAY_CLIENT_ID"),
        ("GATEWAY_CLIENTID", "GATEWAY_CLIENT_ID"),
        ("GATEWAY__CLIENT_ID", "GATEWAY_CLIENT_ID"),
        ("GATEWAY_ID_CLIENT", "GATEWAY_CLIENT_ID"),
        ("GATEWAY_URL_PUBLIC", "GATEWAY_PUBLIC_URL"),
        ("GATEWAY_PUBLIC_URI", "GATEWAY_PUBLIC_URL"),
        ("gateway_client_id", "GATEWAY_CLIENT_ID"),
        ("Gateway_Port", "GATEWAY_PORT"),
        ("GATEWAY-CLIENT-ID", "GATEWAY_CLIENT_ID"),
        ("GATEWY_CLIENT_ID", "GATEWAY_CLIENT_ID"),
        ("GATEWAYS_PUBLIC_URL", "GATEWAY_PUBLIC_URL"),
        ("GATEWAY_CLIENT_SECRETS", "GATEWAY_CLIENT_SECRET"),
        ("GATEWAY_CLIENT_SECRET_FILES", "GATEWAY_CLIENT_SECRET_FILE"),
        ("GATEWAY_PORT_FILE", "GATEWAY_PORT"),
    ],
)
def test_the_name_that_was_meant_is_told(variable: str, meant: str) -> None:
    (sentence,) = near_misses([variable], "GATEWAY_", NAMES)

    assert sentence.startswith(f"{variable} is no setting. Did you mean {meant}?")
    assert ("Only secrets come from files." in sentence) == (variable == "GATEWAY_PORT_FILE")


@pytest.mark.parametrize(
    "variable",
    [
        "GATEWAY_CLIENT_ID",
        "GATEWAY_CLIENT_SECRET_FILE",
        "GATEWAY_SERVICE_HOST",
        "GATEWAY_SERVICE_PORT",
        "GATEWAY_SERVICE_PORT_HTTP",
        "GATEWAY_PORT_3000_TCP",
        "GATEWAY_PORT_3000_TCP_ADDR",
        "GATEWAY_PORT_3000_TCP_PROTO",
        "GATEWAY_VERSION",
        "RESOURCE_API_CLIENT_ID",
        "AZURE_CLIENT_ID",
        "CLIENT_ID",
        "PORT",
        "PATH",
        "",
    ],
)
def test_a_setting_and_what_is_somebody_else_s_are_left_alone(variable: str) -> None:
    assert list(near_misses([variable], "GATEWAY_", NAMES)) == []
