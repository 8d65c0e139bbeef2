"""``python -m local_tenant`` as a process, and its settings."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from local_tenant.configuration import BUNDLED, ConfigurationError, load
from local_tenant.settings import Settings, SettingsError, from_environment
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port

HERE = Path(__file__).parents[3]
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what must be refused, or allowed on purpose


def settings_of_ours(**settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LOCAL_TENANT_")}
    return {**inherited, **{f"LOCAL_TENANT_{name}": value for name, value in settings.items()}}


async def start(**settings: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "local_tenant"),
        cwd=HERE,
        env=settings_of_ours(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_is_and_ends_with_0(stop: signal.Signals) -> None:
    port = free_port()
    process = await start(PORT=str(port))
    assert process.stdout
    line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
    assert f"http://127.0.0.1:{port}".encode() in line
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/health/live") as live,
    ):
        assert live.status == 200
    process.send_signal(stop)
    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert (process.returncode, errors) == (0, b"")


async def test_S57_every_fault_of_the_settings_is_told_at_once(tmp_path: Path) -> None:
    process = await start(
        PORT="eighty", HOST=EVERYWHERE, GATEWAY_URL="localhost:3000", CONFIG=str(tmp_path / "nothing.toml")
    )
    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 2
    for name in (b"PORT", b"HOST", b"GATEWAY_URL", b"CONFIG"):
        assert b"LOCAL_TENANT_" + name in errors
    assert b"ALLOW_REMOTE=1" in errors


async def test_A7_S57_it_does_not_start_beside_a_service_for_others() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "local_tenant"),
        cwd=HERE,
        env=settings_of_ours(PUBLIC_URL="https://login.example.com")
        | {"GATEWAY_PUBLIC_URL": "https://profile.example.com", "RESOURCE_API_TENANT_SUBDOMAIN": "contoso"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), PATIENCE)

    assert (process.returncode, output) == (2, b"")
    for name in (b"LOCAL_TENANT_PUBLIC_URL:", b"GATEWAY_PUBLIC_URL:", b"RESOURCE_API_TENANT_SUBDOMAIN:"):
        assert name in errors
    assert errors.count(b"known passwords") == 3


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"GATEWAY_SECRET_FILE": "empty"}, "GATEWAY_SECRET_FILE: must name a file that holds something"),
        ({"API_SECRET_FILE": "nothing"}, "API_SECRET_FILE: must name a file that can be read: No such file"),
        ({"API_SECRET_FILE": "binary"}, "API_SECRET_FILE: must name a file of UTF-8 text"),
        ({"API_SECRET_FILE": "text", "API_SECRET": "x"}, "LOCAL_TENANT_API_SECRET too; keep one of them"),
        ({"GATEWAY_CERTIFICATE_FILE": "text"}, "must be a public certificate in PEM"),
        ({"GATEWAY_URL": "http://localhost:eighty"}, "must be a scheme, a host and perhaps a port"),
    ],
)
def test_a_setting_that_can_not_be_used_is_named_and_no_published_secret_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], said: str
) -> None:
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "text").write_text("text", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")
    for name, value in settings.items():
        given = str(tmp_path / value) if name.endswith("_FILE") else value
        monkeypatch.setenv(f"LOCAL_TENANT_{name}", given)
    with pytest.raises(SettingsError) as caught:
        from_environment()
    (fault,) = caught.value.faults
    assert said in fault
    assert fault.startswith("LOCAL_TENANT_")


def test_an_ipv6_address_is_a_url_with_brackets() -> None:
    assert Settings(host="::1", port=8400).browser_url == "http://[::1]:8400"


async def test_port_0_takes_a_free_port_and_the_tenant_names_it() -> None:
    process = await start(PORT="0")
    assert process.stdout
    url = (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode().split()[2]
    document = f"{url}/stepuplocal.onmicrosoft.com/v2.0/.well-known/openid-configuration"
    async with aiohttp.ClientSession() as session, session.get(document) as answer:
        assert (await answer.json())["authorization_endpoint"].startswith(f"{url}/")
    process.terminate()
    await asyncio.wait_for(process.communicate(), PATIENCE)


async def test_a_port_in_use_is_said_in_a_sentence() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        process = await start(PORT=str(listener.getsockname()[1]))
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 1
    assert b"can't be used" in errors
    assert b"Traceback" not in errors


async def test_secrets_come_from_files_and_remote_addresses_must_be_allowed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-a-file\n", encoding="utf-8")
    port = free_port()
    process = await start(
        PORT=str(port), HOST=EVERYWHERE, ALLOW_REMOTE="1", GATEWAY_SECRET_FILE=str(secret), ADMIN="0"
    )
    assert process.stdout
    await asyncio.wait_for(process.stdout.readline(), PATIENCE)
    url = f"http://127.0.0.1:{port}/3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": "0b9c7e64-2f1d-4a83-8e55-c1a4d0f6b7e2",
        "client_secret": "from-a-file",
        "scope": "https://graph.microsoft.com/.default",
    }
    async with aiohttp.ClientSession() as session, session.post(url, data=form) as answer:
        assert answer.status == 200
    process.terminate()
    await asyncio.wait_for(process.communicate(), PATIENCE)


def test_an_unknown_placeholder_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "tenant.toml"
    path.write_text('[tenant]\nid = "${NOBODY}"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="NOBODY"):
        load(path, {"SOMEBODY": ""})


def test_every_fault_of_the_file_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tenant.toml"
    text = BUNDLED.read_text(encoding="utf-8")
    text = text.replace('subdomain = "stepuplocal"', 'subdomain = "Not Good"').replace(
        "mfa = true", 'mfa = "yes!"'
    )
    path.write_text(text, encoding="utf-8")
    values = dict.fromkeys(("GATEWAY_SECRET", "GATEWAY_CERTIFICATE", "API_SECRET", "API_CERTIFICATE"), "")
    with pytest.raises(ConfigurationError) as caught:
        load(path, {**values, "GATEWAY_URL": "http://app.example", "API_CERTIFICATE": "no PEM"})
    faults = "\n".join(caught.value.faults)
    assert "certificates: Value error, must be a public certificate in PEM" in faults
    assert "tenant.subdomain" in faults
    assert "policies.0.mfa" in faults
    assert "redirect URI" in faults


def test_a_file_that_is_no_toml_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "tenant.toml"
    path.write_text("[tenant", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        load(path, {})
