"""The product as `dev.py --https` runs it, with a certificate made for the occasion."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from devstack.environment import is_setting
from devstack.https_certificate import https_settings
from devstack.stack import ROOT, Stack, assembled
from tests.stage.ports import free_ports


@asynccontextmanager
async def https_stack(folder: Path) -> AsyncIterator[tuple[Stack, Mapping[str, str]]]:
    """Run it while the block runs; yields it and the settings of its certificate."""
    ports = free_ports()
    own = https_settings(folder, ports.gateway)
    around = {name: value for name, value in os.environ.items() if not is_setting(name)}
    with assembled(folder, own, around, ports, root=ROOT, cwd=folder) as stack:
        await asyncio.to_thread(stack.start)
        yield stack, own
