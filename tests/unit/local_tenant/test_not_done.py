"""What the real authority would do at an address and the tenant doesn't: said, and never a bare 404 (row T8)."""

import pytest

from tests.stage.tenant import GATEWAY, GATEWAY_SECRET, TENANT_ID, World


@pytest.mark.parametrize(
    "method, path, words",
    [
        ("POST", f"/{TENANT_ID}/oauth2/v2.0/devicecode", "device code flow"),
        ("GET", f"/{TENANT_ID}/.well-known/openid-configuration", "version 1"),
        ("GET", f"/{TENANT_ID}/oauth2/authorize", "version 1"),
        ("POST", "/stepuplocal.onmicrosoft.com/oauth2/token", "version 1"),
        ("GET", f"/{TENANT_ID}/discovery/keys", "/discovery/v2.0/keys"),
        ("GET", "/common/discovery/instance", "instance discovery"),
        ("POST", f"/{TENANT_ID}/oauth2/v2.0/initiate", "native authentication"),
        ("POST", f"/{TENANT_ID}/resetpassword/v1.0/start", "reset of passwords"),
        ("GET", f"/{TENANT_ID}/kerberos", "Kerberos"),
        ("POST", f"/{TENANT_ID}/saml2", "SAML"),
        ("POST", "/$batch", "$batch"),
    ],
)
async def test_T8_what_entra_does_and_the_tenant_does_not_is_said(
    world: World, method: str, path: str, words: str
) -> None:
    answer = await world.ask(method, path)
    assert (answer.status, answer.body["error"]) == (501, "not_supported")
    assert answer.body["error_description"].startswith("The local tenant does not do this: ")
    assert words in answer.body["error_description"]
    (entry,) = (await world.ask("GET", "/admin/requests?point=authority.other")).body
    assert (entry["method"], entry["path"], entry["status"]) == (method, path, 501)


@pytest.mark.parametrize("path", ["/nothing", f"/{TENANT_ID}/oauth2/v2.0/banana", "/v3.0/me", "/me"])
async def test_T8_an_address_that_is_nothing_is_said_to_be_nothing(world: World, path: str) -> None:
    answer = await world.ask("GET", path)
    assert (answer.status, answer.body["error"]) == (404, "not_found")
    (entry,) = (await world.ask("GET", "/admin/requests?point=authority.other")).body
    assert (entry["path"], entry["status"]) == (path, 404)


async def test_T8_another_method_is_said_and_which_there_are(world: World) -> None:
    answer = await world.ask("DELETE", f"/{TENANT_ID}/oauth2/v2.0/token")
    assert (answer.status, answer.headers["Allow"]) == (405, "OPTIONS,POST")
    assert "DELETE" in answer.body["error_description"]


async def test_T8_people_get_a_page(world: World) -> None:
    page = await world.ask("GET", f"/{TENANT_ID}/kerberos", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status, page.headers["Content-Type"]) == (501, "text/html; charset=utf-8")
    assert "The local tenant does not do this: Kerberos." in page.body


async def test_T8_a_grant_that_there_is_not_is_journalled(world: World) -> None:
    form = {"client_id": GATEWAY, "client_secret": GATEWAY_SECRET}
    device = "urn:ietf:params:oauth:grant-type:device_code"
    refused = await world.token({**form, "grant_type": device, "device_code": "x"})
    assert (refused.status, refused.number) == (400, 70003)
    (entry,) = (await world.ask("GET", "/admin/requests?point=token.other")).body
    assert (entry["form"]["grant_type"], entry["status"]) == (device, 400)
