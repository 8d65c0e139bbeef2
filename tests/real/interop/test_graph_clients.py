"""Microsoft's clients of Graph take the local tenant for Graph: those for JavaScript and for Python."""

import json
import sys

import pytest

from tests.real.interop.client_program import running_client
from tests.stage.tenant import World

ADA = "5b0e2f4a-8c1d-4e7b-9f36-a1c2d3e4f501"


@pytest.mark.parametrize(
    "address",
    ["", "https://graph.microsoft.com", "https://graph.microsoft.com/", "https://graph.microsoft.com//"],
)
async def test_T2_the_client_for_javascript_reads_selects_and_writes(
    tenant: World, node: str, address: str
) -> None:
    settings = {"tenant": tenant.url, "token": await tenant.graph_token()}
    settings |= {"base_url": address} if address else {}
    async with running_client(node, "graph_client.mjs", **settings) as client:
        result = await client.hear("done")

    assert (result["me"]["id"], result["me"]["displayName"]) == (ADA, "Ada Lovelace")
    assert set(result["selected"]) == {
        "@odata.context",
        "id",
        "displayName",
        "streetAddress",
        "createdDateTime",
    }
    assert result["selected"]["streetAddress"] == "Flat 3\nCanal Row"
    assert client.told == [{"patched": None, "updated": None}]
    assert (await tenant.ask("GET", "/admin/people/ada@example.com/profile")).body["city"] == "Paris"
    refusals = {name: (result[name]["status"], result[name]["code"]) for name in ("mail", "property")}
    assert refusals == {"mail": (403, "Authorization_RequestDenied"), "property": (400, "BadRequest")}
    for name in ("beta", "batch"):
        assert result[name]["name"] == "GraphError"
        assert (result[name]["status"], result[name]["code"]) == (501, "notSupported")
        assert "The local tenant does not do this" in result[name]["message"]


async def test_T2_the_core_of_the_sdk_for_python_reads_selects_and_writes(tenant: World) -> None:
    settings = {"tenant": tenant.url, "token": await tenant.graph_token()}
    async with running_client(sys.executable, "graph_core.py", **settings) as client:
        result = await client.hear("done")

    assert (result["me"]["id"], result["me"]["display_name"]) == (ADA, "Ada Lovelace")
    assert result["patched"] is None
    selected = result["selected"]
    assert (selected["city"], selected["street_address"]) == ("Paris", "Flat 3\nCanal Row")
    assert selected["created"] == "2024-01-01 00:00:00+00:00"
    assert result["mail"][:2] == [403, "Authorization_RequestDenied"]
    assert result["unknown"][:2] == [400, "BadRequest"]
    assert result["expanded"][:2] == [501, "notSupported"]
    assert {request["host"] for request in client.requests} == {"graph.microsoft.com"}
    write = next(request for request in client.requests if request["asked"] == "PATCH /v1.0/me")
    assert json.loads(write["body"])["@odata.type"] == "#microsoft.graph.user"
    assert write["headers"]["sdkversion"].startswith("graph-python/1.65.0, graph-python-core/")
