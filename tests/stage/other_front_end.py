"""Another front end than ours: a program that keeps cookies, calls the JSON endpoints and fills in the tenant's forms.

Speaks HTTP only and knows nothing but the published contract. It enforces no SameSite rule; browser journeys do.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urljoin

import aiohttp
from aiohttp import web
from yarl import URL

from tests.stage.contract import DOCUMENT, breaches, document_of
from tests.stage.visitor import Page, Visitor

ADA = ("ada@example.com", "Analytical-Engine-1843")
GRACE = ("grace@example.com", "Compiler-A0-1952")


@dataclass(frozen=True)
class Answer:
    """One JSON answer."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        """The parsed body."""
        return json.loads(self.text)

    @property
    def slug(self) -> str:
        """The problem's slug."""
        assert self.headers["Content-Type"].startswith("application/problem+json"), self.text
        return str(self.body["type"]).removeprefix("/problems/")


class NoFlow(Exception):
    """The gateway began no flow; the text is where it led instead."""


class OtherFrontEnd:
    """One person with one browser profile."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        gateway_url: str,
        tenant_url: str,
        *,
        app: web.Application | None = None,
    ) -> None:
        """Take a browser; `app` is the gateway whose description its answers are held against, with its rows."""
        self.session = session
        self.gateway_url = gateway_url
        self.visitor = Visitor(session, tenant_url)
        self.document = DOCUMENT if app is None else document_of(app)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        gateway_url: str,
        tenant_url: str,
        *,
        connector: aiohttp.BaseConnector | None = None,
        app: web.Application | None = None,
    ) -> AsyncIterator[Self]:
        """Start with no cookies; `connector` says from where, and whom to trust."""
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[URL(gateway_url)])
        async with aiohttp.ClientSession(cookie_jar=jar, connector=connector) as session:
            yield cls(session, gateway_url, tenant_url, app=app)

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call a JSON endpoint; the answer is one that the API's description knows."""
        async with self.session.request(
            method,
            self.gateway_url + path,
            json=body if body is not None else None,
            headers={"X-CSRF": "1", **(headers or {})},
            allow_redirects=False,
        ) as response:
            answer = Answer(response.status, response.headers, await response.text())
        found = breaches(method, path, answer.status, answer.headers, answer.text, document=self.document)
        assert list(found) == [], (method, path)
        return answer

    async def navigate(self, path: str, data: Mapping[str, str] | None = None) -> Answer:
        """Open an address of the gateway without following where it leads."""
        method = "GET" if data is None else "POST"
        async with self.session.request(
            method, urljoin(self.gateway_url, path), data=data, allow_redirects=False
        ) as response:
            answer = Answer(response.status, response.headers, await response.text())
        found = breaches(method, path, answer.status, answer.headers, answer.text, document=self.document)
        assert list(found) == [], (method, path)
        return answer

    async def leave(self, path: str) -> Page:
        """Start a flow and return the tenant's page; raises NoFlow where the gateway leads to a problem."""
        answer = await self.navigate(path)
        assert answer.status == 303, answer.text
        if answer.headers["Location"].startswith("/problem"):
            raise NoFlow(answer.headers["Location"])
        return await self.visitor.open(answer.headers["Location"])

    async def come_back(self, page: Page) -> str:
        """Send the tenant's answer to the callback; return where the gateway leads."""
        assert page.form.action == f"{self.gateway_url}/auth/callback", page.text
        answer = await self.navigate(page.form.action, page.form.inputs)
        assert answer.status == 303, answer.text
        return answer.headers["Location"]

    async def sign_in(self, who: tuple[str, str] = ADA, path: str = "/auth/sign-in?return_to=/edit") -> str:
        """Sign in with a password; return where the gateway leads."""
        page = await self.leave(path)
        if "password" in page.form.inputs:  # not where the authority knows this browser
            page = await self.visitor.submit(page, email=who[0], password=who[1])
        return await self.come_back(page)

    async def step_up(self, path: str, who: str = ADA[0]) -> str:
        """Follow a step-up's redirect and type the code from the inbox; return where the gateway leads.

        The password as well, where the tenant asks for it anew.
        """
        page = await self.leave(path)
        if "password" in page.form.inputs:
            page = await self.visitor.submit(page, email=who, password=dict([ADA, GRACE])[who])
        if "code" in page.form.inputs and "state" not in page.form.inputs:
            page = await self.visitor.submit(page, code=await self.visitor.newest_code(who))
        return await self.come_back(page)

    def cookie(self, name: str = "__Host-Http-session") -> str:
        """The value of a cookie of the gateway; empty when there is none."""
        morsel = self.session.cookie_jar.filter_cookies(URL(self.gateway_url)).get(name)
        return morsel.value if morsel else ""
