"""What the doctor says of settings that start and do not work: each by its own name, with the reason behind it."""

import asyncio
import datetime as dt
import re
import sys
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web

from gateway.doctor.examination import examine
from gateway.errors import SessionStoreUnavailable
from gateway.store.opening import open_vault
from gateway.store.redis_clock import RedisClock
from servicekit.authority_transport import AuthorityTransport
from servicekit.errors import AuthorityUnavailable
from servicekit.outbound import outbound
from servicekit.outbound_error import OutboundError
from tests.product.test_doctor import Configured, configured, faults
from tests.stage.certificates import Flaw, server_context
from tests.stage.ports import free_port
from tests.stage.world import gateway_settings

__all__ = ["configured"]


@pytest.mark.parametrize("scope", ["User.Bogus", "https://graph.microsoft.com/User.Bogus"])
async def test_F4_a_scope_for_reading_is_explained_by_its_own_setting(
    configured: Configured, scope: str
) -> None:
    findings = await examine(configured(GRAPH_SCOPE=scope))

    assert faults(findings).keys() == {"Graph scope"}
    assert "Compare GATEWAY_GRAPH_SCOPE with" in faults(findings)["Graph scope"]
    assert "GATEWAY_EDIT_PROFILE_SCOPE" not in str(findings)


LONG: Final = dt.timedelta(days=30)
# OpenSSL's own words, as X509_verify_cert_error_string has them.
FLAWS: Final = {
    "expired": (Flaw(starts=-LONG, ends=-dt.timedelta(hours=1)), "certificate has expired"),
    "not yet valid": (Flaw(starts=LONG, ends=2 * LONG), "certificate is not yet valid"),
    "another host's": (Flaw(ip="192.0.2.7"), "IP address mismatch, certificate is not valid for '127.0.0.1'"),
    "self-signed": (Flaw(signs_itself=True), "self-signed certificate"),
    "for clients": (Flaw(for_clients=True), "unsupported certificate purpose|unsuitable certificate purpose"),
    "of another authority": (Flaw(trusted=False), "unable to get local issuer certificate"),
    "of one that may not sign": (
        Flaw(authority_may_sign=False),
        "invalid CA certificate|key usage",
    ),
    "of one without key usage": (
        Flaw(authority_may_sign=None),
        "CA cert does not include key usage extension",
    ),
}


async def behind_tls(flaw: Flaw, folder: Path) -> tuple[web.AppRunner, str, str]:
    """Serve an application by TLS with a flaw; return it, where it is, and the file that its clients trust."""
    context, bundle = server_context(folder, flaw)
    runner, port = web.AppRunner(web.Application()), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    return runner, f"127.0.0.1:{port}", bundle


@pytest.mark.parametrize("name", FLAWS)
async def test_F5_a_certificate_is_refused_with_openssl_s_reason_wherever_it_is_met(
    tmp_path: Path, name: str
) -> None:
    flaw, reason = FLAWS[name]
    if flaw.authority_may_sign is None and sys.version_info < (3, 13):
        pytest.skip("Python before 3.13 asks for no key usage of an authority")
    runner, where, bundle = await behind_tls(flaw, tmp_path)
    settings = gateway_settings(
        TENANT_SUBDOMAIN="",
        TENANT_ID="",
        AUTHORITY=f"https://{where}",
        GRAPH_URL=f"https://{where}/v1.0",
        RESOURCE_API_URL=f"https://{where}",
        REDIS_URL=f"rediss://{where}",
        CA_BUNDLE=bundle,
    )
    try:
        found = faults(await examine(settings))
        async with outbound(None, bundle) as network:
            with pytest.raises(OutboundError, match=reason) as by_network:
                await network.send("GET", f"https://{where}/")
            transport = AuthorityTransport(network)
            with pytest.raises(AuthorityUnavailable, match=reason) as by_msal:
                await asyncio.to_thread(transport.post, f"https://{where}/token", data={})
        redis, vault, _ = await asyncio.to_thread(open_vault, settings, now=RedisClock())
        with pytest.raises(SessionStoreUnavailable) as by_redis:
            await vault.ping()
        await redis.aclose()
    finally:
        await runner.cleanup()

    for check in ("discovery", "Graph", "resource API", "Redis"):
        assert re.search(f"its certificate is not trusted: .*({reason})", found[check]), (check, found[check])
    for error in (by_network, by_msal):
        assert str(error.value.reason).startswith("certificate refused: ")
    assert re.fullmatch(f"certificate refused: .*({reason})", by_redis.value.log_detail or "")
