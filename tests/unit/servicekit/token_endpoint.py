"""A token endpoint on a socket that answers from a script, and an MSAL door that leads to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from servicekit.address_map import AddressMap
from servicekit.authority_transport import AuthorityTransport
from servicekit.client_credential import CertificateKey
from servicekit.discovery import Discovery
from servicekit.entra import EntraClient
from servicekit.outbound import outbound
from servicekit.token_threads import ON_BEHALF_OF, Purpose
from tests.stage.trust import ONE_CERTIFICATE
from tests.unit.servicekit.authority import Clock
from tests.unit.servicekit.listening import listening

HOST = "contoso.ciamlogin.com"
ROOT = f"https://{HOST}/t"
METADATA = "/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration"
SCOPE = ["https://graph.microsoft.com/User.ReadWrite"]


@dataclass
class TokenEndpoint:
    """Answers token requests from a script, then with tokens that name their assertion."""

    url: str = ""
    script: list[web.Response] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    discoveries: int = 0
    authorization_path: str = "/authorize"
    delay: float = 0
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is clear, nobody is answered."""
    clock: Clock = field(default_factory=lambda: Clock(0))
    opened: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def metadata(self, _request: web.Request) -> web.Response:
        self.discoveries += 1
        return web.json_response(
            {
                "issuer": ROOT,
                "authorization_endpoint": ROOT + self.authorization_path,
                "token_endpoint": f"{ROOT}/token",
                "jwks_uri": f"{ROOT}/keys",
            }
        )

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        await self.answers.wait()
        await asyncio.sleep(self.delay)
        if self.script:
            return self.script.pop(0)
        body = {"access_token": f"for {form['assertion']}", "token_type": "Bearer", "expires_in": 3600}
        return web.json_response(body, headers={"Retry-After": "600"})


@asynccontextmanager
async def running_token_endpoint() -> AsyncIterator[TokenEndpoint]:
    """Run one."""
    endpoint = TokenEndpoint()
    endpoint.answers.set()
    app = web.Application()
    app.router.add_get(METADATA, endpoint.metadata)
    app.router.add_post("/t/token", endpoint.token)
    async with listening(app) as endpoint.url, endpoint.opened:
        yield endpoint


async def client_of(
    endpoint: TokenEndpoint,
    credential: str | CertificateKey = "s3cret",
    *,
    seconds: float = 15,
) -> EntraClient:
    """Return a door to it; `seconds` are those of the transport."""
    addresses = AddressMap({HOST: endpoint.url})
    network = await endpoint.opened.enter_async_context(outbound(addresses, ONE_CERTIFICATE))
    entra = EntraClient(
        client_id="a7d1f3c2",
        credential=lambda: credential,
        transport=AuthorityTransport(network, seconds=seconds),
        discovery=Discovery(network, url=f"https://{HOST}{METADATA}", issuer=ROOT, now=endpoint.clock),
        authority=f"https://{HOST}/",
        now=endpoint.clock,
    )
    endpoint.opened.callback(entra.close)
    return entra


async def exchange(
    entra: EntraClient, assertion: str, purpose: Purpose = ON_BEHALF_OF, who: object = None
) -> dict[str, Any]:
    """Exchange an assertion."""
    answer: dict[str, Any] = await entra.call(
        lambda app: app.acquire_token_on_behalf_of(assertion, SCOPE), purpose=purpose, who=who
    )
    return answer


def accounts(app: Any) -> object:
    """Do what asks nobody."""
    return app.get_accounts()
