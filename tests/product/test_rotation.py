"""R22: sealing keys, client secrets and certificates change while people work, and nobody is signed out by it."""

import asyncio
import base64
import hashlib
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.session.cookie import SessionCookie
from tests.product.test_tokens import READ, end_of_token, vault_of
from tests.stage.invariants import violations
from tests.stage.operator_settings import sealing_key
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.stored import drop_record
from tests.stage.tenant import GATEWAY, GATEWAY_SECRET
from tests.stage.world import SEALING_KEY, World
from tests.unit.servicekit.test_client_credential import KEY, OTHER, certificate_pem, pem_of

MakeWorld = Callable[..., Awaitable[World]]
NEW_KEY = sealing_key("new")
STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"


def key_id(key: str) -> bytes:
    """The mark of a sealing key in front of what it sealed."""
    return hashlib.sha256(b"key id" + base64.urlsafe_b64decode(key)).digest()[:8]


async def sealed_by(world: World, person: OtherFrontEnd, name: str) -> bytes:
    """The mark of the key that sealed a field of the person's session."""
    cookie = SessionCookie.parse(person.cookie())
    assert cookie is not None
    stored: Any = await world.redis.hget(cookie.ref.key, name)
    return bytes(stored[14:22])


async def expire(world: World, person: OtherFrontEnd) -> None:
    """Let the person's token be gone, so that the cache is written again."""
    cookie = SessionCookie.parse(person.cookie())
    assert cookie is not None
    await drop_record(vault_of(world), cookie.ref, f"token:{READ.name}")


async def under_load(world: World, people: list[OtherFrontEnd], *gateways: World) -> None:
    """Let everyone work at every gateway in turn; assert that nobody is signed out or refused."""
    chance = random.Random(7)  # noqa: S311 - to be repeated, not to be secret

    async def work(person: OtherFrontEnd) -> None:
        for _ in range(6):
            if chance.random() < 0.4:
                await expire(world, person)
            gateway = chance.choice(gateways)
            tab = OtherFrontEnd(person.session, gateway.gateway_url, world.tenant_url)
            held = {"Cookie": f"__Host-Http-session={person.cookie()}"}
            answer = await tab.call("GET", "/api/profile", headers=held)
            assert answer.status == 200, answer.text

    await asyncio.gather(*(work(person) for person in people for _ in range(3)))


async def status_at(gateway: World, person: OtherFrontEnd) -> tuple[int, str]:
    """Ask one gateway with the person's cookie."""
    tab = OtherFrontEnd(person.session, gateway.gateway_url, gateway.tenant_url)
    held = {"Cookie": f"__Host-Http-session={person.cookie()}"}
    answer = await tab.call("GET", "/api/profile", headers=held)
    return answer.status, "" if answer.status == 200 else str(answer.body["reason"])


async def test_R22_a_sealing_key_rotates_under_load_and_nobody_is_signed_out(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    old = await make_world(SEALING_KEYS=SEALING_KEY)
    people = [await old.signed_in() for _ in range(4)]
    await under_load(old, people, old)

    # One process at a time: first everybody learns the new key, then it seals.
    learned = await old.new_gateway(SEALING_KEYS=f"{SEALING_KEY},{NEW_KEY}")
    await under_load(old, people, old, learned)
    sealing = await old.new_gateway(SEALING_KEYS=f"{NEW_KEY},{SEALING_KEY}")
    await under_load(old, people, learned, sealing)
    for person in people:
        await expire(old, person)
    await under_load(old, people, sealing)

    for person in people:
        assert await sealed_by(old, person, "cache") == key_id(NEW_KEY), "sealed anew when it was written"
        assert await sealed_by(old, person, "session") == key_id(SEALING_KEY), (
            "which nobody has written since"
        )
    assert await violations(old.redis, vault_of(sealing), [person.cookie() for person in people]) == []

    # Without the old key only what was never written again is lost, cleanly, and the log counts it.
    only_new = await old.new_gateway(SEALING_KEYS=NEW_KEY)
    caplog.clear()
    assert [await status_at(only_new, person) for person in people] == [(401, "expired")] * len(people)
    assert caplog.messages.count("record-not-opened") == len(people)
    assert [await status_at(sealing, person) for person in people] == [(200, "")] * len(people), (
        "nor was it ended"
    )


async def test_R22_a_gateway_that_lacks_a_key_ends_no_session(make_world: MakeWorld) -> None:
    old = await make_world(SEALING_KEYS=SEALING_KEY)
    ada = await old.signed_in()
    hasty = await old.new_gateway(SEALING_KEYS=f"{NEW_KEY},{SEALING_KEY}")
    await expire(old, ada)
    assert (await status_at(hasty, ada))[0] == 200, "and the cache is sealed by a key that the other has not"
    await expire(old, ada)

    assert await status_at(old, ada) == (401, "expired")
    assert await status_at(hasty, ada) == (200, "")


async def test_R22_a_session_that_stepped_up_since_outlives_the_old_key(make_world: MakeWorld) -> None:
    world = await make_world(SEALING_KEYS=f"{NEW_KEY},{SEALING_KEY}")
    ada = await world.confirmed()
    only_new = await world.new_gateway(SEALING_KEYS=NEW_KEY)

    assert await status_at(only_new, ada) == (200, "")


async def register(world: World, **members: list[Any]) -> None:
    """Change the gateway's app registration."""
    if "secrets" in members:
        members["secrets"] = [{"value": value} for value in members["secrets"]]
    await world.admin("PUT", f"/apps/{GATEWAY}", members)


async def refreshes(world: World, person: OtherFrontEnd) -> bool:
    """Tell whether the authority takes the gateway for itself."""
    await end_of_token(world, person, 0)
    return (await person.call("GET", "/api/profile")).status == 200


async def test_R22_a_client_secret_rotates_by_its_file(make_world: MakeWorld, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{GATEWAY_SECRET}\n")
    world = await make_world(CLIENT_SECRET="", CLIENT_SECRET_FILE=str(file))
    ada = await world.signed_in()

    await register(world, secrets=[GATEWAY_SECRET, "the-next-secret"])
    assert await refreshes(world, ada)
    file.write_text("the-next-secret\n")
    assert await refreshes(world, ada)
    await register(world, secrets=["the-next-secret"])

    assert await refreshes(world, ada), "without a restart"
    assert await (await world.front_end()).sign_in() == "/edit"


async def test_R22_a_client_secret_rotates_by_a_rolling_restart(make_world: MakeWorld) -> None:
    world = await make_world()
    ada = await world.signed_in()
    await register(world, secrets=[GATEWAY_SECRET, "the-next-secret"])
    restarted = await world.new_gateway(CLIENT_SECRET="the-next-secret")
    tab = OtherFrontEnd(ada.session, restarted.gateway_url, world.tenant_url)
    held = {"Cookie": f"__Host-Http-session={ada.cookie()}"}

    for gateway in (ada, tab, ada, tab):
        await end_of_token(world, ada, 0)
        assert (await gateway.call("GET", "/api/profile", headers=held)).status == 200
    await register(world, secrets=["the-next-secret"])

    await end_of_token(world, ada, 0)
    assert (await tab.call("GET", "/api/profile", headers=held)).status == 200
    await end_of_token(world, ada, 0)
    left_behind = await ada.call("GET", "/api/profile")
    assert (left_behind.status, left_behind.slug) == (500, "misconfigured"), "which signs nobody out either"
    assert (await tab.call("GET", "/api/session", headers=held)).body["authenticated"] is True


def credential(key: Any) -> bytes:
    """A certificate with its key."""
    return pem_of(key) + certificate_pem(key)


async def test_S38_a_certificate_stands_for_the_gateway_and_rotates_by_its_file(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    file = tmp_path / "gateway.pem"
    file.write_bytes(credential(KEY))
    first, second = certificate_pem(KEY).decode(), certificate_pem(OTHER).decode()
    world = await make_world(CLIENT_SECRET="", CLIENT_CERTIFICATE=str(file))
    await register(world, secrets=[], certificates=[first])
    ada = await world.signed_in()
    assert await refreshes(world, ada)
    (entry,) = await world.admin("GET", "/requests?point=token.refresh_token")
    assert "client_assertion" in entry["form"]
    assert "client_secret" not in entry["form"]

    await register(world, certificates=[first, second])
    file.write_bytes(b"-----BEGIN half a fi")
    assert await refreshes(world, ada), "a file that is being written is not used yet"
    file.write_bytes(credential(OTHER))
    assert await refreshes(world, ada)
    await register(world, certificates=[second])

    assert await refreshes(world, ada), "without a restart"
    assert await (await world.front_end()).sign_in() == "/edit"


@pytest.mark.parametrize("form", ["text", "a secret file"])
async def test_S38_a_certificate_may_be_given_in_any_form(
    make_world: MakeWorld, tmp_path: Path, form: str
) -> None:
    file = tmp_path / "gateway.pem"
    file.write_bytes(credential(KEY))
    given = (
        {"CLIENT_CERTIFICATE": file.read_text()} if form == "text" else {"CLIENT_CERTIFICATE_FILE": str(file)}
    )
    world = await make_world(CLIENT_SECRET="", **given)
    await register(world, secrets=[], certificates=[certificate_pem(KEY).decode()])

    assert await refreshes(world, await world.signed_in())
