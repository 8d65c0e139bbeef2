"""Somebody else's client as a program, and the conversation with it: lines of JSON, see clients/conversation.mjs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.stage.patience import PATIENCE

CLIENTS: Final = Path(__file__).parent / "clients"


@dataclass
class ClientProgram:
    """A running client."""

    process: asyncio.subprocess.Process
    requests: list[dict[str, Any]] = field(default_factory=list)
    """What it asked of the tenant, in order."""
    told: list[dict[str, Any]] = field(default_factory=list)
    """What it told beside that."""

    async def hear(self, name: str) -> Any:
        """Return what the client says under a name; what it says before is kept. Fails where it failed."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := await self.process.stdout.readline():
                message = json.loads(line)
                if name in message:
                    return message[name]
                assert "failed" not in message, message
                (self.requests if "asked" in message else self.told).append(message)
        raise AssertionError(f"ended without saying {name}")

    async def say(self, **answer: str) -> None:
        """Answer the client."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(answer)}\n".encode())
        await self.process.stdin.drain()

    def asked(self) -> list[str]:
        """Return the methods and paths that it asked, in order."""
        return [request["asked"] for request in self.requests]


@asynccontextmanager
async def running_client(interpreter: str, name: str, **configuration: str) -> AsyncIterator[ClientProgram]:
    """Run a client while the block runs."""
    process = await asyncio.create_subprocess_exec(
        interpreter,
        str(CLIENTS / name),
        json.dumps(configuration),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**22,
    )
    try:
        yield ClientProgram(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
