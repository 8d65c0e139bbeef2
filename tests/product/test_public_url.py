"""The public address as a browser spells it: one setting, however it is written, and all that follows from it."""

import aiohttp
import pytest

from gateway.app import create_app
from tests.stage.ports import free_port
from tests.stage.world import CLIENT, gateway_settings, served

BROWSERS = "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "written",
    [
        "https://b\u00fccher.example",
        "HTTPS://B\u00dcCHER.Example:443/",
        f"https://{BROWSERS}",
        f"https://{BROWSERS}:443//",
    ],
)
async def test_X3_a_browser_s_host_and_origin_are_ours_however_the_setting_is_written(
    valkey: str, written: str
) -> None:
    settings, port = gateway_settings(PUBLIC_URL=written, REDIS_URL=valkey), free_port()
    ours = {"Host": BROWSERS, "Origin": f"https://{BROWSERS}", "X-CSRF": "1"}

    async def status(**changed: str) -> int:
        async with browser.get("/api/session", headers=ours | changed) as answer:
            return answer.status

    async with (
        served(create_app(settings, spa=CLIENT), port),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as browser,
    ):
        assert await status() == 200
        assert await status(Host="b.example") == 421
        assert await status(Origin="https://b.example") == 403

    assert settings.redirect_uri == f"https://{BROWSERS}/auth/callback"


@pytest.mark.parametrize(
    "written, origin",
    [
        ("http://LOCALHOST:3000/", "http://localhost:3000"),
        ("http://localhost:80", "http://localhost"),
        ("http://127.1:3000", "http://127.0.0.1:3000"),
        ("http://0x7f000001:3000", "http://127.0.0.1:3000"),
        ("http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000"),
        ("https://profile.example.com:8443//", "https://profile.example.com:8443"),
    ],
)
def test_X3_the_redirect_uri_is_made_from_the_normal_form(written: str, origin: str) -> None:
    settings = gateway_settings(PUBLIC_URL=written, REDIS_URL="redis://localhost")

    assert settings.public_url == origin
    assert settings.redirect_uri == f"{origin}/auth/callback"
