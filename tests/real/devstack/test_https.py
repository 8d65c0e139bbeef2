"""`dev.py --https`: the product over https on this computer, with a certificate that nobody is asked to trust."""

import datetime as dt
import ssl
import stat
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509

from devstack.command import main
from devstack.https_certificate import load_or_make
from servicekit.settings_faults import SettingsFault
from tests.real.journeys.person import Person
from tests.stage.browser import NewContext
from tests.stage.https_stack import https_stack
from tests.stage.world import gateway_settings

NOW = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)


def test_X5_the_certificate_is_for_this_computer_and_this_user(tmp_path: Path) -> None:
    path = load_or_make(tmp_path / "new" / "localhost.pem", NOW)

    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= dt.timedelta(days=398)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("spoiled", ["", "no certificate", None])
def test_X5_it_is_kept_and_made_anew_where_it_is_of_no_use(tmp_path: Path, spoiled: str | None) -> None:
    path = load_or_make(tmp_path / "localhost.pem", NOW)
    first = path.read_bytes()

    assert load_or_make(path, NOW + dt.timedelta(days=300)).read_bytes() == first
    if spoiled is not None:
        path.write_text(spoiled, encoding="utf-8")
    later = NOW if spoiled is not None else NOW + dt.timedelta(days=380)
    assert load_or_make(path, later).read_bytes() != first


async def test_X5_a_person_signs_in_over_https_on_this_computer(
    tmp_path: Path, new_context: NewContext
) -> None:
    async with https_stack(tmp_path) as (stack, own):
        assert stack.gateway_url.startswith("https://localhost:")
        ada = Person(await (await new_context(ignore_https_errors=True)).new_page(), stack)

        await ada.signs_in()

        (session,) = [c for c in await ada.page.context.cookies() if "session" in c.get("name", "")]
        assert session.get("secure")
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.load_verify_locations(own["GATEWAY_TLS_PEM"])
        async with aiohttp.ClientSession() as client:
            answer = await client.get(f"{stack.gateway_url}/", ssl=trusting)
            assert answer.status == 200
            assert "Strict-Transport-Security" not in answer.headers, "it would be for every port here"


@pytest.mark.parametrize("spoiled", ["missing", "empty", "without its key"])
def test_X5_a_file_that_proves_nothing_is_a_fault_of_the_settings(tmp_path: Path, spoiled: str) -> None:
    path = load_or_make(tmp_path / "localhost.pem", NOW)
    if spoiled == "missing":
        path.unlink()
    else:
        text = path.read_text(encoding="utf-8")
        path.write_text(text.partition("-----BEGIN PRIVATE")[0] if "key" in spoiled else "", encoding="utf-8")

    with pytest.raises(SettingsFault, match="GATEWAY_TLS_PEM"):
        gateway_settings(REDIS_URL="redis://localhost", TLS_PEM=str(path))


def test_X5_the_option_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"], {})

    assert "--https" in capsys.readouterr().out
