"""Canaries: the true secrets, how they could be spelt, who listens for them, and a story in which all of them occur.

The secrets are taken from the gateway's own records, opened with the sealing key and the cookie that only the
browser holds.
"""

import base64
import json
import logging
import re
import traceback
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from gateway.store.names import digest_of
from gateway.store.sealing import KeyRing
from gateway.tokens.resources import Resource
from servicekit.secret_keys import read_key
from tests.stage.other_front_end import ADA
from tests.stage.stored import stored_cache, stored_token
from tests.stage.tenant import API_SECRET, EDIT, GATEWAY_SECRET
from tests.stage.visitor import Page
from tests.stage.witnesses import RecordingFrontEnd, all_of, everything_in, opened
from tests.stage.world import SEALING_KEY, World

LOGGERS = (
    "gateway",
    "servicekit",
    "resource_api",
    "msal",
    "aiohttp",
    "aiohttp_session",
    "redis",
    "urllib3",
    "asyncio",
)
# At DEBUG it prints codes and verifiers, which is why outer libraries never get there: see the last test.
OPEN_HEARTED = "msal.token_cache"
JWT = re.compile(r"eyJ[\w-]{10,}\.[\w-]{10,}\.")
STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"


@dataclass
class Secrets:
    """What must be found nowhere, by name."""

    named: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, secret: str) -> None:
        """Remember one more."""
        assert len(secret) >= 8, name
        self.named[f"{name} #{len(self.named)}"] = secret

    def found_in(self, text: str) -> list[str]:
        """Name the secrets that the text holds, whole, in part or in another spelling."""
        return [name for name, secret in self.named.items() if any(trace in text for trace in traces(secret))]


def traces(secret: str) -> set[str]:
    """Return the spellings of a secret: itself, a JWT's claims and signature, URL-quoted, base64 and hex."""
    pieces = {secret}
    if secret.count(".") == 2:
        pieces |= {segment for segment in secret.split(".")[1:] if len(segment) > 16}
    forms = set(pieces)
    for piece in pieces:
        raw = piece.encode()
        forms |= {quote(piece, safe=""), raw.hex(), json.dumps(piece)[1:-1]}
        for before in range(3):  # wherever in a longer text it stood when that was encoded
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                forms.add(encode(b"\0" * before + raw).decode().rstrip("=")[4:-4])
    return {trace for trace in forms if len(trace) >= 8}


class Ear(logging.Handler):
    """Hears every line with all its fields, and every exception with its text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep everything that any formatter could show."""
        if record.name == OPEN_HEARTED:
            return
        parts = [record.name, record.getMessage(), repr(vars(record))]
        if record.exc_info and record.exc_info[1]:
            parts += traceback.format_exception(record.exc_info[1])
        self.lines.append("\n".join(parts))


class Evidence:
    """The story of one person, with everybody's secrets collected on the way."""

    def __init__(self, world: World, person: RecordingFrontEnd) -> None:
        self.world = world
        self.person = person
        self.secrets = Secrets()
        self.in_valkey: list[bytes] = []
        for name, secret in (
            ("gateway's client secret", GATEWAY_SECRET),
            ("API's client secret", API_SECRET),
            ("sealing key", SEALING_KEY.rstrip("=")),
            ("sealing key's bytes", read_key(SEALING_KEY).decode("latin-1")),
        ):
            self.secrets.add(name, secret)

    async def leave(self, path: str) -> Page:
        """Begin a flow, and take its PKCE verifier and nonce out of the record."""
        page = await self.person.leave(path)
        (state,) = parse_qs(urlsplit(self.person.seen[-1].headers["Location"]).query)["state"]
        for line in all_of(self.person.seen[-1], "Set-Cookie"):
            secret = line.partition(";")[0].rpartition(".")[2]
            owner = digest_of(state, secret)
            sealed: Any = await self.world.redis.get(f"stepup:flow:{owner}")
            if sealed:
                flow = KeyRing([read_key(SEALING_KEY)]).open(
                    sealed, kind="flow", owner=owner, secret=secret.encode()
                )
                self.secrets.add("verifier", json.loads(flow)["msal"]["code_verifier"])
        self.in_valkey.append(await everything_in(self.world.redis))
        return page

    async def come_back(self, page: Page) -> str:
        """End a flow, and remember the code."""
        if "code" in page.form.inputs:
            self.secrets.add("code", page.form.inputs["code"])
        return await self.person.come_back(page)

    async def collect(self) -> None:
        """Take every token that the session has now, and look at Valkey."""
        live = await opened(self.world, self.person)
        cache, _ = await stored_cache(live)
        for kind, entries in json.loads(cache or "{}").items():
            for entry in entries.values():
                if "secret" in entry:
                    self.secrets.add(kind, entry["secret"])
        for resource in (Resource("graph", "User.Read"), Resource("edit", EDIT)):
            if token := await stored_token(live, resource):
                self.secrets.add(f"token for {resource.name}", token.value)
        self.in_valkey.append(await everything_in(self.world.redis))

    async def fault(self, point: str, **what: object) -> None:
        """Let something go wrong once."""
        await self.world.admin("PUT", f"/faults/{point}", {"times": 1, **what})

    def everything_seen(self) -> str:
        """Return status, headers and body of every answer of the gateway."""
        return "\n".join(
            f"{answer.status}\n{[*answer.headers.items()]}\n{answer.text}" for answer in self.person.seen
        )


async def tell(evidence: Evidence) -> None:
    """Tell the story with everything that may go wrong in it."""
    ada, visitor = evidence.person, evidence.person.visitor
    await evidence.world.admin("PUT", "/settings", {"access_token_seconds": 20})
    await ada.call("GET", "/api/session")

    # Sign-in: cancelled, failing in every voice, replayed, and at last done
    page = await evidence.leave("/auth/sign-in?return_to=/edit")
    await evidence.come_back(await visitor.follow(page, "Cancel"))
    for what in (
        {"status": 502, "body": "html"},
        {"body": "empty", "status": 200},
        {"aadsts": 7000215},
        {"aadsts": 54005},
    ):
        page = await evidence.leave("/auth/sign-in")
        if "email" in page.form.inputs:
            page = await visitor.submit(page, email=ADA[0], password=ADA[1])
        await evidence.fault("token.authorization_code", **what)
        assert "problem" in await evidence.come_back(page)
    page = await evidence.leave("/auth/sign-in?return_to=/edit")
    assert await evidence.come_back(page) == "/edit"
    assert "sign-in-expired" in await evidence.come_back(page)
    await evidence.collect()

    # Looking, with a renewed token, and failing at it
    evidence.world.forward(20)
    for path in ("session", "session/claims", "profile", "openapi.json", "sessions", "nowhere"):
        await ada.call("GET", f"/api/{path}")
    await evidence.collect()
    for point, what in (
        ("graph.get_me", {"status": 500}),
        ("graph.get_me", {"status": 401}),
        ("graph.get_me", {"status": 200, "body": "html"}),
        ("token.refresh_token", {"status": 503, "body": "html"}),
        ("token.refresh_token", {"aadsts": 65001}),
    ):
        await evidence.fault(point, **what)
        evidence.world.forward(20)
        await ada.call("GET", "/api/profile")
    evidence.world.forward(20)

    # Editing: refused, cancelled, confirmed by another person, confirmed, saved
    refused = await ada.call("PATCH", "/api/profile", {"city": "Paris"})
    page = await evidence.leave(f"{refused.body['redirect']}&return_to=/check")
    await evidence.come_back(await visitor.follow(page, "Cancel"))
    page = await evidence.leave(f"{refused.body['redirect']}&return_to=/check")
    assert (
        await evidence.come_back(await visitor.submit(page, code=await visitor.newest_code(ADA[0])))
        == "/check"
    )
    await evidence.collect()
    saved = await ada.call("POST", f"/api/parked-edits/{refused.body['parked_edit']['id']}")
    assert saved.status == 200, saved.text
    for point, what in (
        ("token.on_behalf_of", {"status": 500}),
        ("token.on_behalf_of", {"aadsts": 50013}),
        ("graph.patch_me", {"status": 403}),
    ):
        await evidence.fault(point, **what)
        evidence.world.forward(20)
        await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    await ada.call("PATCH", "/api/profile", {"city": 1}, headers={"If-Match": '"x"'})
    await evidence.collect()
