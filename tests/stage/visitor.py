"""A person with a browser that runs no script: follows links, fills in forms, keeps cookies. Speaks HTTP only."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import aiohttp


@dataclass
class Form:
    """One form of a page: its inputs with their values, and how many buttons submit it."""

    action: str
    method: str
    inputs: dict[str, str] = field(default_factory=dict)
    submit_buttons: int = 0
    marked: dict[str, list[str]] = field(default_factory=dict)
    """Which inputs are marked as wrong, and which has the focus."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.frames: list[str] = []
        self.words: list[str] = []
        self._href: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given["action"], given.get("method", "get")))
        elif tag == "input":
            self.forms[-1].inputs[given["name"]] = given.get("value", "")
            for mark in {"aria-invalid", "autofocus"} & set(given):
                self.forms[-1].marked.setdefault(mark, []).append(given["name"])
        elif tag == "button" and given.get("type") == "submit":
            self.forms[-1].submit_buttons += 1
        elif tag == "a":
            self._href = given.get("href", "")
        elif tag == "iframe":
            self.frames.append(given["src"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._href = None

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._href is not None:
            self.links[data.strip()] = self._href


@dataclass
class Page:
    """What the person sees."""

    status: int
    url: str
    headers: dict[str, str]
    text: str
    forms: list[Form]
    links: dict[str, str]
    frames: list[str]
    sent_to: str | None = None
    """Where a redirect leads that leaves the tenant."""

    @property
    def form(self) -> Form:
        """The page's only form."""
        (form,) = self.forms
        return form

    @property
    def answer(self) -> dict[str, str]:
        """What the tenant answers the application, by redirect or by form post."""
        if self.sent_to:
            parts = urlsplit(self.sent_to)
            return dict(parse_qsl(parts.query or parts.fragment))
        return self.form.inputs


class Visitor:
    """Opens pages of one tenant."""

    def __init__(self, session: aiohttp.ClientSession, tenant_url: str) -> None:
        self.session = session
        self.tenant_url = tenant_url

    async def open(self, url: str, data: dict[str, str] | None = None) -> Page:
        """Open a page, or send a form to it; redirects are followed while they stay at the tenant."""
        method = "GET" if data is None else "POST"
        while True:
            url = urljoin(self.tenant_url, url)
            async with self.session.request(method, url, data=data, allow_redirects=False) as response:
                text = await response.text()
                reader = _Reader()
                reader.feed(text)
                location = response.headers.get("Location")
                if location is None or not urljoin(url, location).startswith(self.tenant_url):
                    return Page(
                        response.status,
                        url,
                        dict(response.headers),
                        " ".join(" ".join(reader.words).split()),
                        reader.forms,
                        reader.links,
                        reader.frames,
                        location,
                    )
                url, method, data = urljoin(url, location), "GET", None

    async def submit(self, page: Page, **typed: str) -> Page:
        """Fill in the page's form and press its button."""
        return await self.open(urljoin(page.url, page.form.action), {**page.form.inputs, **typed})

    async def follow(self, page: Page, link: str) -> Page:
        """Follow a link by its text."""
        return await self.open(urljoin(page.url, page.links[link]))

    async def newest_code(self, to: str) -> str:
        """Return the newest code in an inbox."""
        accept = {"Accept": "application/json"}
        async with self.session.get(
            f"{self.tenant_url}/inbox", params={"to": to}, headers=accept
        ) as response:
            return str((await response.json())[0]["code"])

    async def sign_in(self, url: str, email: str = "ada@example.com", password: str = "") -> Page:
        """Open an authorize URL and sign in; return what comes after the password."""
        page = await self.open(url)
        return await self.submit(page, email=email, password=password or PASSWORDS[email])

    async def confirm(self, page: Page, email: str = "ada@example.com") -> Page:
        """Enter the newest code."""
        return await self.submit(page, code=await self.newest_code(email))


PASSWORDS = {"ada@example.com": "Analytical-Engine-1843", "grace@example.com": "Compiler-A0-1952"}
