"""What tokens cost: one that is verified, a session's records sealed and opened, and the ways that use them.

The first part is one thread's computing time, the least of five rounds. The second is what the gateway and the resource
API compute for each way, all their threads together, the median; it needs Linux (`/proc/…/schedstat`).

    python -m benchmarks.bench_tokens [--times 40] [--ways] [--people 8]

One person at a time finds a gateway that has rested since, and its caches cold; of several at once each costs what it
costs a gateway with work.
"""

import argparse
import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from statistics import median

from benchmarks.bench_session_memory import person, records_of
from benchmarks.running import product
from devstack.stack import Stack
from gateway.store.sealing import KeyRing
from servicekit.jwt_claims import ClaimRules, checks_named
from servicekit.jwt_form import read_payload, read_token
from servicekit.jwt_signatures import ALGORITHMS, is_proven, read_key
from tests.stage.other_front_end import ADA, OtherFrontEnd
from tests.stage.other_keys import OtherKey
from tests.stage.visitor import Page

ROUNDS = 5
EACH = 2_000
STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"
NOW = 1_800_000_000


def microseconds(work: Callable[[], object]) -> float:
    """Return the computing time of one call."""
    took = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        for _ in range(EACH):
            work()
        took.append((time.thread_time() - began) / EACH * 1e6)
    return min(took)


def verified() -> dict[str, float]:
    """Return what a token of 1.6 kB costs whose header has been seen and whose text has not."""
    figures = {}
    for algorithm in ("RS256", "ES256", "EdDSA"):
        signer = OtherKey("k", algorithm)
        key = read_key(signer.jwk())
        assert key is not None
        rules = ClaimRules("https://issuer.example", "audience", checks_named("issuer", "expiry", "subject"))
        claims = {"iss": rules.issuer, "exp": NOW, "sub": "ada", "aio": "A" * 500, "groups": ["g" * 36] * 12}
        tokens = iter([signer.token({**claims, "uti": str(number)}) for number in range(ROUNDS * EACH)])

        def verify() -> None:
            token = read_token(next(tokens), rules.types, ALGORITHMS)  # noqa: B023 - used before the next round
            assert is_proven(token, key)  # noqa: B023
            claims = read_payload(token.payload)
            for check in rules.checks:  # noqa: B023
                check.judge(claims, rules, NOW)  # noqa: B023

        figures[f"a token of {algorithm}, verified"] = microseconds(verify)
    return figures


def sealed() -> dict[str, float]:
    """Return what each record of a session costs that has Entra's shape."""
    ring, secret, user = KeyRing([secrets.token_bytes(32)]), secrets.token_bytes(32), person()
    plain = {name.partition(":")[0]: field.value for name, field in records_of(user).items()}
    plain["session"] = user.model_dump_json().encode()
    figures = {}
    for kind, value in plain.items():
        kept = ring.seal(value, kind=kind, owner="o", secret=secret)

        def seal(kind: str = kind, value: bytes = value) -> bytes:
            return ring.seal(value, kind=kind, owner="o", secret=secret)

        def unseal(kind: str = kind, kept: bytes = kept) -> bytes:
            return ring.open(kept, kind=kind, owner="o", secret=secret)

        figures[f"{kind} of {len(value)} bytes, sealed"] = microseconds(seal)
        figures[f"{kind}, opened"] = microseconds(unseal)
    return figures


class Computing:
    """The computing time of one process, by what was going on."""

    def __init__(self, stack: Stack, part: str) -> None:
        child = stack.parts[part].child
        assert child is not None
        self._tasks = Path(f"/proc/{child.pid}/task")
        self.took: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def during(self, what: str, number: int) -> Iterator[None]:
        """Note what is computed while the block runs, for one of a `number` of works."""
        before = self._now()
        yield
        self.took[what].append((self._now() - before) / number)

    def _now(self) -> float:
        each = (int((task / "schedstat").read_text().split()[0]) for task in self._tasks.iterdir())
        return sum(each) / 1e6


async def ways(stack: Stack, times: int, people: int) -> dict[str, float]:
    """Return the milliseconds that each way takes of one person, at the gateway and at the resource API."""
    gateway, api = Computing(stack, "gateway"), Computing(stack, "api")

    async def noted(what: str, *works: Awaitable[object]) -> None:
        with gateway.during(what, len(works)), api.during(what, len(works)):
            await asyncio.gather(*works)
            await asyncio.sleep(0.01)  # what is done beside an answer, like the log's line, is counted, too

    async with AsyncExitStack() as opened:
        fronts = [
            await opened.enter_async_context(OtherFrontEnd.open(stack.gateway_url, stack.tenant_url))
            for _ in range(people)
        ]
        for _ in range(times + 1):
            for name, path in (("sign-in", "/auth/sign-in?return_to=/edit"), ("step-up", STEP_UP)):
                await noted(f"{name}: start", *(front.navigate(path) for front in fronts))
                pages = [await answered(front, path) for front in fronts]
                await noted(f"{name}: callback", *map(OtherFrontEnd.come_back, fronts, pages))
            await noted("GET /api/profile", *(front.call("GET", "/api/profile") for front in fronts))
            for number in range(3):
                city = {"city": str(number)}
                await noted(
                    "PATCH /api/profile", *(front.call("PATCH", "/api/profile", city) for front in fronts)
                )
    figures = {f"gateway, {what}": median(took[1:]) for what, took in gateway.took.items()}
    return figures | {"API, PATCH /profile": median(api.took["PATCH /api/profile"][3:])}


async def answered(front: OtherFrontEnd, path: str) -> Page:
    """Begin a flow, and return the page by which the authority sends the person back."""
    page = await front.leave(path)
    if "password" in page.form.inputs:
        page = await front.visitor.submit(page, email=ADA[0], password=ADA[1])
    if "code" in page.form.inputs and "state" not in page.form.inputs:
        page = await front.visitor.submit(page, code=await front.visitor.newest_code(ADA[0]))
    return page


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--people", type=int, default=1, help="who go each way at once")
    parser.add_argument("--ways", action="store_true", help="the second part alone")
    arguments = parser.parse_args()
    for what, took in ({} if arguments.ways else verified() | sealed()).items():
        print(f"{what:40} {took:8.1f} µs")
    limits = {"GATEWAY_EDITS_PER_MINUTE": "100000", "GATEWAY_STEP_UPS_PER_MINUTE": "100000"}
    with product(**limits) as stack:
        for what, took in asyncio.run(ways(stack, arguments.times, arguments.people)).items():
            print(f"{what:40} {took:8.2f} ms")


if __name__ == "__main__":
    main()
