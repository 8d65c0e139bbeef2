"""What may not stand together in the gateway, and what only local work may have."""

import base64
import itertools
from pathlib import Path

import pytest

from gateway.settings import PREFIX, Settings
from servicekit.settings_faults import SettingsFault, load_settings
from tests.stage.operator_settings import gateway_environment, sealing_key

LOCAL = {"REDIS_URL": "redis://127.0.0.1:1/0"}
FOR_OTHERS = {**LOCAL, "PUBLIC_URL": "https://profile.example.com"}
ELSEWHERE = {"TENANT_SUBDOMAIN": "", "TENANT_ID": ""}


def faults(beside: dict[str, str] | None = None, /, **changed: str) -> list[str]:
    """Return what is told of complete settings with some changed, in an environment with more in it."""
    try:
        load_settings(Settings, {**gateway_environment(changed), **(beside or {})}, PREFIX)
    except SettingsFault as fault:
        return fault.lines
    return []


def written(*keys: bytes) -> str:
    """Return keys as an operator writes them."""
    return ",".join(base64.urlsafe_b64encode(key).decode() for key in keys)


@pytest.mark.parametrize("settings", [LOCAL, FOR_OTHERS], ids=["local", "for others"])
@pytest.mark.parametrize(
    "key",
    [bytes(32), b"k" * 32, bytes(range(32)), b"changeme".ljust(32, b"\0")],
    ids=["zeros", "k", "row", "word"],
)
def test_A8_S33_a_sealing_key_that_can_be_guessed_is_refused_wherever_it_stands(
    settings: dict[str, str], key: bytes
) -> None:
    good = base64.urlsafe_b64decode(sealing_key("other"))
    for number, ring in enumerate(((key, good), (good, key)), 1):
        (line,) = faults(**settings, SEALING_KEYS=written(*ring))

        assert line.startswith(f"GATEWAY_SEALING_KEYS is set, but has a key, number {number}, that ")
        assert "openssl rand -base64 32" in line


def test_A8_S33_every_key_of_a_ring_that_can_be_guessed_is_told_at_once() -> None:
    (line,) = faults(**LOCAL, SEALING_KEYS=written(bytes(32), b"k" * 32, b"short"))

    assert [f"number {number}, that" in line for number in (1, 2, 3)] == [True] * 3


def test_A8_S33_a_key_that_stands_twice_is_refused() -> None:
    (line,) = faults(**LOCAL, SEALING_KEYS=",".join([sealing_key("one")] * 2))

    assert "has one key twice, as number 1 and number 2" in line


SECRETS = (
    "changeme1",
    "client-secret",
    "password1234567890",
    "local-stand-in-gateway-secret",
    "wQ7~rT2.uV9x",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_A8_S38_a_client_secret_that_can_be_guessed_is_refused_with_a_real_authority(secret: str) -> None:
    for settings in (FOR_OTHERS, LOCAL, {**FOR_OTHERS, **ELSEWHERE, "AUTHORITY": "https://id.example.com"}):
        (line,) = faults(**{**settings, "CLIENT_SECRET": secret})

        assert line.startswith("GATEWAY_CLIENT_SECRET is set, but ")
        assert secret not in line


@pytest.mark.parametrize("secret", SECRETS)
def test_A8_S38_with_the_local_tenant_a_client_secret_is_what_the_two_agree_on(secret: str) -> None:
    assert faults(**LOCAL, CLIENT_SECRET=secret, AUTHORITY_MAP="http://127.0.0.1:8400") == []
    assert faults(**LOCAL, **ELSEWHERE, CLIENT_SECRET=secret, AUTHORITY="http://127.0.0.1:9000") == []


@pytest.mark.parametrize(
    "secret", ["changeme", "<secret>", "your-client-secret", "Enter_the_Client_Secret_Here"]
)
def test_A8_S38_a_placeholder_is_refused_in_local_work_too(secret: str) -> None:
    (line,) = faults(**LOCAL, CLIENT_SECRET=secret, AUTHORITY_MAP="http://127.0.0.1:8400")

    assert line.startswith("GATEWAY_CLIENT_SECRET is set, but is a placeholder")


@pytest.mark.parametrize("password", ["changeme", "redis", "foobared", "secret123", "aaaaaaaaaaaa"])
def test_A8_a_password_of_redis_that_can_be_guessed_is_refused_where_others_are_served(
    password: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{password}\n", encoding="utf-8")
    addresses = (
        f"redis://:{password}@store:6379/0",
        f"rediss://user:{password}@store:6379/0",
        f"unix://:{password}@/run/redis.sock",
        f"redis+sentinel://one:26379/mymaster?sentinel_password={password}",
    )
    for settings in itertools.chain(
        ({"REDIS_URL": address} for address in addresses),
        [{"REDIS_URL": "redis://store:6379", "REDIS_PASSWORD_FILE": str(file)}],
    ):
        (line,) = faults(**{**FOR_OTHERS, **settings})

        assert line.startswith("GATEWAY_REDIS_"), line
        assert "is set, but its password " in line
        assert (
            password not in line.removeprefix("GATEWAY_REDIS_").partition("It should be")[0]
            or password == "redis"
        )
        assert faults(**{**LOCAL, **settings}) == [], "on one's own computer it is one's own choice"


def test_A8_a_redis_without_a_password_is_the_network_s_business() -> None:
    assert faults(**FOR_OTHERS) == []


@pytest.mark.parametrize("name", ["AUTHORITY", "AUTHORITY_ISSUER"])
def test_A7_S57_an_authority_on_this_machine_is_refused_where_others_are_served(name: str) -> None:
    settings = {**ELSEWHERE, "AUTHORITY": "https://id.example.com", name: "http://127.0.0.1:8400/tenant"}
    (line,) = faults(**FOR_OTHERS, **settings)

    assert line.startswith(f"GATEWAY_{name} is 'http://127.0.0.1:8400/tenant', an authority on this machine")
    assert faults(**LOCAL, **settings) == []


@pytest.mark.parametrize(
    "variable", ["PYTHONASYNCIODEBUG", "PYTHONDEVMODE", "SSLKEYLOGFILE", "PYTHONHASHSEED"]
)
def test_A7_S57_debugging_is_refused_where_others_are_served(variable: str) -> None:
    (line,) = faults({variable: "1"}, **FOR_OTHERS)

    assert line.startswith(f"{variable} is set, which ")
    assert faults({variable: "1"}, **LOCAL) == []


def test_A7_S57_what_only_local_work_may_have_is_told_at_once() -> None:
    lines = faults(
        {"SSLKEYLOGFILE": "/var/log/keys"},
        **FOR_OTHERS | {"REDIS_URL": "redis://:changeme@store"},
        AUTHORITY_MAP="http://127.0.0.1:8400",
        SEALING_KEYS=written(bytes(32)),
    )

    assert [line.split()[0] for line in lines] == [
        "GATEWAY_SEALING_KEYS",
        "GATEWAY_AUTHORITY_MAP",
        "GATEWAY_REDIS_URL",
        "SSLKEYLOGFILE",
    ]


@pytest.mark.parametrize(
    "origins, says",
    [
        ("*", "which is not an http or https address"),
        ("null", "which is not an http or https address"),
        ("https://*.example.com", "which has a host that is no name"),
        ("app.example.com", "which is not an http or https address"),
        ("https://app.example.com/notes", "which has a path"),
        ("https://app.example.com?x", "it has a query or a fragment"),
        ("https://app.example.com.", "which has a dot behind its host"),
        ("https://user@app.example.com", "which holds a user name"),
        ("http://app.example.com", "which is plain http"),
        ("wss://app.example.com", "which is not an http or https address"),
        ("https://profile.example.com:443", "which is the gateway's own address"),
        ("https://PROFILE.example.com", "which is the gateway's own address"),
        ("https://app.example.org", "which is another site than GATEWAY_PUBLIC_URL"),
        ("http://localhost:5173", "which is another site than GATEWAY_PUBLIC_URL"),
        ("https://app.example.com;https://b.example.com", "entries that are not separated by commas alone"),
        ("https://app.example.com https://b.example.com", "entries that are not separated by commas alone"),
    ],
)
def test_S24_an_origin_that_may_not_call_the_gateway_is_told_at_start(origins: str, says: str) -> None:
    (line,) = faults(**FOR_OTHERS, ALLOWED_ORIGINS=origins)

    assert line.startswith("GATEWAY_ALLOWED_ORIGINS ")
    assert says in line


def test_S24_origins_are_taken_as_browsers_spell_them_and_each_once() -> None:
    given = "https://APP.example.com:443/, https://app.example.com,https://example.com:8443,https://bücher.example.com"
    settings = load_settings(Settings, gateway_environment({**FOR_OTHERS, "ALLOWED_ORIGINS": given}), PREFIX)

    assert settings.allowed_origins == (
        "https://app.example.com",
        "https://example.com:8443",
        "https://xn--bcher-kva.example.com",
    )
