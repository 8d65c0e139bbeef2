"""What a release left in Redis, brought back, and the person whose browser kept its cookies meanwhile.

Owns reading tests/unit/gateway/store/frozen and asking the gateway under the name that it had then.
Speaks HTTP only and knows nothing of the records but their bytes.
"""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from cryptography.x509 import load_der_x509_certificate
from redis.asyncio import Redis

from local_tenant.signing import SigningKey
from tests.stage.other_front_end import ADA, Answer
from tests.stage.ports import free_port
from tests.stage.tenant import API
from tests.stage.visitor import Page, Visitor
from tests.stage.world import World, served

FROZEN: Final = Path(__file__).parents[1] / "unit/gateway/store/frozen"
SESSION: Final = "__Host-Http-session"


@dataclass
class Returning:
    """A person whose browser kept its cookies while the gateway was replaced."""

    world: World
    left: dict[str, Any]
    """The file: the records and what opens them."""
    cookies: dict[str, str]
    visitor: Visitor

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request to the gateway under the name that it had, and take the cookies that come back."""
        sent = {
            "Host": self.left["public_url"].removeprefix("http://"),
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            **({} if path.startswith("/auth/") else {"X-CSRF": "1"}),
            **(headers or {}),
        }
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(
                method,
                self.world.gateway_url + path,
                json=body,
                data=form,
                headers=sent,
                allow_redirects=False,
            ) as response,
        ):
            self.cookies |= {name: morsel.value for name, morsel in response.cookies.items()}
            return Answer(response.status, response.headers, await response.text())

    async def confirm(self, page: Page) -> str:
        """Give the tenant what it asks for, and return where the gateway leads."""
        for _ in range(3):
            typed = page.form.inputs
            if "password" in typed:
                page = await self.visitor.submit(page, email=ADA[0], password=ADA[1])
            elif "code" in typed and "state" not in typed:
                page = await self.visitor.submit(page, code=await self.visitor.newest_code(ADA[0]))
        assert page.form.action == f"{self.left['public_url']}/auth/callback", page.text
        answer = await self.ask("POST", "/auth/callback", form=page.form.inputs)
        assert answer.status == 303, answer.text
        return answer.headers["Location"]

    async def refreshes(self) -> int:
        """How often the gateway has renewed a token."""
        return await self.world.asked("token.refresh_token")


@asynccontextmanager
async def edit_service(edits: list[Any]) -> AsyncIterator[str]:
    """Serve an API that takes edits with a token of the frozen tenant; give its address.

    Our own would exchange the token, which only the tenant that gave it out can do.
    """
    key = tenant_key().private.public_key()

    async def edit(request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(
            token, key, ["RS256"], audience=API, options={"verify_exp": False, "verify_nbf": False}
        )
        edits.append(await request.json())
        return web.json_response({"id": claims["oid"], "city": "London", **edits[-1]})

    app, port = web.Application(), free_port()
    app.router.add_patch("/{path:.*}", edit)
    async with served(app, port):
        yield f"http://127.0.0.1:{port}"


def tenant_key() -> SigningKey:
    """Return the key with which the tenant of the files signed its tokens."""
    stored = json.loads((FROZEN / "tenant_key.json").read_text())
    private = load_der_private_key(base64.b64decode(stored["private"]), None)
    assert isinstance(private, RSAPrivateKey)
    return SigningKey(private, load_der_x509_certificate(base64.b64decode(stored["certificate"])))


async def restore(redis: Redis, records: list[dict[str, Any]]) -> None:
    """Write records as they were, with what was left of their lives."""
    for record in records:
        key = record["key"]
        match record["type"]:
            case "string":
                await redis.set(key, base64.b64decode(record["value"]))
            case "hash":
                fields = {name: base64.b64decode(value) for name, value in record["fields"].items()}
                await redis.hset(key, mapping=fields)
            case "zset":
                members = {base64.b64decode(member): score for member, score in record["members"]}
                await redis.zadd(key, members)
            case other:
                raise AssertionError(other)
        await redis.pexpire(key, record["ttl_ms"])
