"""Commands that run scripts.

Owns the form of a script's command: by its SHA-1, or with the whole text where that is necessary.
Never sends anything.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from redis.exceptions import NoPermissionError, NoScriptError

from gateway.store.scripts import sha1_of

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A script with its keys and arguments."""

    script: str
    keys: Sequence[str]
    arguments: Sequence[Any]

    def command(self, *, by_sha1: bool) -> tuple[Any, ...]:
        """Return what is sent: the script's SHA-1, which the server knows once it has run the script, or its text."""
        head = ("EVALSHA", sha1_of(self.script)) if by_sha1 else ("EVAL", self.script)
        return (*head, len(self.keys), *self.keys, *self.arguments)


class ScriptForm:
    """By SHA-1, or with the whole text: where the server does not know the script, or the user has no right to EVALSHA.

    The latter is remembered, as rights rarely change; a server that has restarted learns each script once.
    """

    def __init__(self) -> None:
        self._by_sha1 = True

    async def run(self, send: Callable[[bool], Awaitable[_T]]) -> _T:
        """Return what `send` returns, which is told whether to send SHA-1s; it is called twice at most."""
        if self._by_sha1:
            try:
                return await send(True)  # noqa: FBT003 - `send` has one argument
            except NoScriptError:
                pass
            except NoPermissionError:
                self._by_sha1 = False
        return await send(False)  # noqa: FBT003 - the same
