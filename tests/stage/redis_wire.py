"""What a gateway and Redis say to each other, as far as a test must tell commands apart (RESP2).

Owns reading commands and replies from a stream, and the names of what passes: a command by its first word, a script
by its text or by the SHA-1 of it (`EVAL`, `EVALSHA`), its keys and arguments.
Never runs a command, and does not know RESP3, which the gateway never asks for.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.store import scripts

_SCRIPTS: Final = {
    hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(): text
    for text in vars(scripts).values()
    if isinstance(text, str) and "redis.call" in text
}
# What Redis says while it cannot write to its disk: reads go on, no connection is concerned.
NOT_NOW: Final = b"-MISCONF Errors writing to the AOF file: No space left on device\r\n"


@dataclass(frozen=True)
class Command:
    """One command as it was sent; of a pipeline, each by itself."""

    words: tuple[bytes, ...]
    raw: bytes

    @property
    def name(self) -> str:
        """Its first word, in capitals."""
        return self.words[0].decode().upper()

    @property
    def script(self) -> str | None:
        """The text of the script that it runs, if that is one of ours."""
        if self.name == "EVAL":
            return self.words[1].decode()
        return _SCRIPTS.get(self.words[1].decode()) if self.name == "EVALSHA" else None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of a script; of another command, its first argument."""
        last = 3 + int(self.words[2]) if self.script else 2
        return tuple(word.decode() for word in self.words[3 if self.script else 1 : last])

    @property
    def arguments(self) -> tuple[bytes, ...]:
        """What follows the keys."""
        return self.words[3 + int(self.words[2]) :] if self.script else self.words[2:]


def runs(*texts: str) -> Callable[[Command], bool]:
    """Match what runs one of these scripts of the gateway."""
    return lambda command: command.script in texts


def reads_a_session(command: Command) -> bool:
    """Match what reads fields of a session."""
    return command.name == "HMGET" or runs(scripts.READ)(command)


class RedisWire:
    """RESP2, as clients and servers speak it."""

    async def request(self, reader: asyncio.StreamReader) -> Command:
        """Read a command, an array of strings."""
        raw = line = await reader.readuntil(b"\r\n")
        assert line[:1] == b"*", line
        words = []
        for _ in range(int(line[1:])):
            line = await reader.readuntil(b"\r\n")
            word = await reader.readexactly(int(line[1:]) + 2)
            words.append(word[:-2])
            raw += line + word
        return Command(tuple(words), raw)

    async def answer(self, reader: asyncio.StreamReader) -> bytes:
        """Read a reply, with all that is in it."""
        line = await reader.readuntil(b"\r\n")
        kind, rest = line[:1], line[1:-2]
        if kind in b"+-:":
            return line
        assert kind in b"$*", line
        count = int(rest)
        if kind == b"$":
            return line + await reader.readexactly(count + 2) if count >= 0 else line
        return line + b"".join([await self.answer(reader) for _ in range(count)])

    def carried_out(self, answer: bytes) -> bool:
        """Tell a script that ran from one that Redis does not know yet, which the client sends again in full."""
        return not answer.startswith(b"-NOSCRIPT")
