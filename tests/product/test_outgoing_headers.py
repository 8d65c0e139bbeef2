"""What a browser sends goes no further: each request of the gateway to an upstream has headers that we built (S47)."""

from collections.abc import Awaitable, Callable
from typing import Final

from tests.stage.http_wire import HttpRequest
from tests.stage.network import Network
from tests.stage.other_front_end import ADA
from tests.stage.world import World

SENT: Final = {
    "Forwarded": "for=6.6.6.6;host=evil.example",
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "gopher",
    "X_Forwarded_User": "root",
    "X-Original-URL": "/admin",
    "X-HTTP-Method-Override": "DELETE",
    "X-Real-IP": "6.6.6.6",
    "X-MS-Client-Principal": "somebody",
    "Proxy-Authorization": "Basic eDp5",
    "Authorization": "Bearer made-up",
    "Referer": "http://evil.example/",
    "Accept-Language": "canary",
    "Range": "bytes=0-1",
    "If-None-Match": '"canary"',
    "Via": "1.1 canary",
    "TE": "trailers",
    "Keep-Alive": "timeout=9",
    "Cookie2": "$Version=1",
    "Prefer": "return=minimal",
    "ConsistencyLevel": "eventual",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    **{f"X-Canary-{number}": "canary" for number in range(150)},
}
ALLOWED: Final = {
    "host",
    "authorization",
    "accept",
    "accept-encoding",
    "user-agent",
    "client-request-id",
    "content-type",
    "content-length",
}
"""To Graph and to the resource API."""


def headers_of(request: HttpRequest) -> dict[str, str]:
    """Return the header fields, with their names in small letters."""
    lines = request.raw.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def test_S47_whatever_a_browser_sends_no_upstream_sees_it(
    make_world: Callable[..., Awaitable[World]], network: Network
) -> None:
    world = await make_world(network=network)
    ada = await world.confirmed()
    to_api = network.api.slow(lambda _: True, 0)
    to_graph = network.authority.slow(lambda one: "/v1.0/" in one.target, 0)

    read = await ada.call("GET", "/api/profile", headers=SENT)
    saved = await ada.call("PATCH", "/api/profile", {"city": "Rome"}, headers=SENT)

    assert (read.status, saved.status) == (200, 200)
    assert to_api.met
    assert to_graph.met
    for request in (*to_api.met, *to_graph.met):
        fields = headers_of(request)
        assert fields.keys() <= ALLOWED
        assert fields["authorization"].startswith("Bearer ey"), "a token of ours"
        whole = request.raw.decode()
        assert not [one for one in ("canary", "evil.example", "6.6.6.6", "made-up") if one in whole]
        assert ada.cookie() not in whole
        assert ADA[0] not in whole
    assert not {name.lower() for name in (*read.headers, *saved.headers)} & {"set-cookie", "server", "via"}
