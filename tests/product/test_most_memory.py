"""What one person and one stranger can put into Redis at most: as the reference says it (A2)."""

import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.proxy.parked_form import MOST_PARKED
from gateway.proxy.parked_requests import LARGEST_PARKED
from tests.product.test_budgets import fields, filled, key_of
from tests.stage.flood import STEP_UP
from tests.stage.notes_upstream import Notes, rows_file
from tests.stage.notes_world import ask
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.ports import free_port
from tests.stage.world import World

REFERENCE = Path(__file__).parents[2] / "docs/reference/redis.md"
MakeWorld = Callable[..., Awaitable[World]]
FAR_WAY_BACK = 380
"""Random bytes of a path to come back to that is as long as one may be."""


def promised() -> dict[str, float]:
    """Return the rows of the table, in bytes."""
    section = REFERENCE.read_text("utf-8").partition("can put there, at most")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([\d.]+) (kB|bytes) \|", section, re.MULTILINE)
    return {name: float(number) * (1024 if unit == "kB" else 1) for name, number, unit in rows}


async def size_of(world: World, *keys: str) -> int:
    """Return what the largest of these keys takes."""
    return max([await world.redis.memory_usage(key, samples=0) or 0 for key in keys])


async def size_of_fields(world: World, person: OtherFrontEnd, kind: str) -> int:
    names = await fields(world, person, f"{kind}:")
    assert names, kind
    return sum([len(name) + await world.redis.hstrlen(key_of(person), name) for name in names])


async def test_A2_the_reference_says_what_one_person_and_one_stranger_can_put_into_redis(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    rows = rows_file(tmp_path, Notes(f"http://127.0.0.1:{free_port()}"))
    world = await make_world(MAX_SESSIONS_PER_PERSON="20", UPSTREAMS=rows)
    others = []
    for _ in range(20):
        others.append(await world.signed_in())
        world.forward(1)
    ada = await world.signed_in()
    await filled(ada)
    for _ in range(MOST_PARKED):
        noise = secrets.token_bytes(LARGEST_PARKED)
        assert "parked" in (await ask(others[-2], "PUT", "/api/notes/7", noise)).body
    for _ in range(12):
        await others[-1].call("PATCH", "/api/profile", {"city": "Rome"})
    path = f"/{secrets.token_urlsafe(FAR_WAY_BACK)[:500]}"
    for person in (ada, await world.front_end()):
        person.session.headers["User-Agent"] = "Mozilla/5.0 " + secrets.token_urlsafe(3000)
        assert (await person.navigate(f"/auth/sign-in?return_to={path}")).status == 303
    assert (await ada.navigate(f"{STEP_UP}&return_to={path}")).status == 303

    def named(kind: str) -> list[str]:
        return [key for key in keys if f"stepup:{kind}:" in key]

    keys = await world.keys()
    measured = {
        "a session, with the tokens of the local tenant": await size_of(world, key_of(ada)),
        "what waits in it: three parked edits": await size_of_fields(world, ada, "parked"),
        "three parked requests of 64 KiB": await size_of_fields(world, others[-2], "parked"),
        "what it saved in the last minute": await size_of_fields(world, ada, "saved"),
        "its ten idempotency keys": await size_of_fields(world, ada, "idempotency"),
        "its ten challenges": await size_of_fields(world, others[-1], "challenge"),
        "a person's last entries": await size_of(world, *named("activity")),
        "a person's count of parked bytes": await size_of(world, *named("parked-bytes")),
        "an index of twenty sessions": await size_of(world, *named("index:person")),
        "a tombstone": await size_of(world, *[key for key in keys if key.endswith(":ended")]),
        "a flow": await size_of(world, *named("flow")),
    }

    assert promised().keys() == measured.keys()
    for what, most in promised().items():
        assert most / 4 < measured[what] <= most, (what, measured[what])
    assert not [
        key for key in keys if not key.startswith(("stepup:{", *(f"stepup:{kind}:" for kind in KINDS)))
    ]


KINDS = ("activity", "parked-bytes", "index", "flow", "rate")
"""What keys there are of people and strangers; those with a tag are a session's."""
