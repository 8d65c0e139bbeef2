"""Stepup itself, with its local tenant: signed in as Ada, with a row that leads to the API and Graph served by it.

Every control is on. Only the limits of a person and of an address are wide, since one of each asks for everybody.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.peers.cores import pin
from benchmarks.peers.peer import ADA, GRACE, W1, W2, Around, Peer, check
from benchmarks.running import product_on
from devstack.ports import free_ports
from devstack.stack import Stack
from servicekit.version import VERSION
from tests.stage import other_front_end
from tests.stage.other_front_end import OtherFrontEnd

PROFILE: Final = "profile"
ROW: Final = """[[upstream]]
name = "rows"
prefix = "/api/rows"
target = "{target}"
scope = "api://d4e8a2b6-91c3-4f57-8b0e-6a2c5d7f9e13/Notes.ReadWrite"
"""
AUTHORITY: Final = "stepuplocal.ciamlogin.com"
GRAPH: Final = "graph.microsoft.com"


@contextmanager
def gateway(around: Around, *, workers: int = 1, log_level: str = "WARNING") -> Iterator[Peer]:
    """Run the product while the block runs; tenant, API and store are not on the gateway's core."""
    ports = free_ports()
    rows = around.folder / f"rows-{workers}.toml"
    rows.write_text(ROW.format(target=around.upstream), encoding="utf-8")
    settings = {
        "GATEWAY_UPSTREAMS": str(rows),
        "GATEWAY_AUTHORITY_MAP": f"{AUTHORITY}=http://127.0.0.1:{ports.tenant},{GRAPH}={around.upstream}",
        "GATEWAY_LOG_LEVEL": log_level,
        "GATEWAY_WORKERS": str(workers),
    }
    with product_on(ports, settings) as stack:
        for name, part in stack.parts.items():
            assert part.child.pid is not None
            pin(part.child.pid, around.core if name == "gateway" else around.others)
        pid = stack.parts["gateway"].child.pid
        assert pid is not None
        url = stack.gateway_url
        addresses = {W1: f"{url}/api/session", W2: f"{url}/api/rows/1", PROFILE: f"{url}/api/profile"}
        sent = {who: asyncio.run(_signed_in(stack, who)) for who in (ADA, GRACE)}
        check(addresses[W1], addresses[W2], sent[ADA], ADA, GRACE)
        check(addresses[W1], addresses[W2], sent[GRACE], GRACE, ADA)
        store = stack.parts["valkey"].child.pid
        yield Peer(pid, f"this working copy, {VERSION}", addresses, sent[ADA], store)


async def _signed_in(stack: Stack, who: str) -> dict[str, str]:
    async with OtherFrontEnd.open(stack.gateway_url, stack.tenant_url) as person:
        await person.sign_in(other_front_end.ADA if who == ADA else other_front_end.GRACE)
        return {"Cookie": f"__Host-Http-session={person.cookie()}", "X-CSRF": "1"}
