"""Commands that run scripts.

Owns the form of a script's command: by its SHA-1, or with the whole text where that is necessary.
Never sends anything.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from redis.exceptions import NoPermissionError, NoScriptError

from gateway.store.scripts import sha1_of

_T = TypeVar("_T")
NOT_BY_SHA1: Final = (NoScriptError, NoPermissionError)
"""What Redis says where a script may run by its text and not by its SHA-1."""


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

    async def run_all(
        self, calls: Sequence[ScriptCall], send: Callable[[list[tuple[Any, ...]]], Awaitable[list[Any]]]
    ) -> list[Any]:
        """Return what `send` returns for the commands of several scripts, and whatever else it returns.

        It may return NOT_BY_SHA1 in the place of answers. Then it is called once more, with what was not done, and with
        the texts of those that the server does not know in the first command of each only.
        """
        done: list[Any] = []
        unknown: set[str] = set()
        for _ in range(2):
            left = calls[len(done) :]
            answers = await send(self._commands(left, unknown))
            refused = next((at for at, one in enumerate(answers) if isinstance(one, NOT_BY_SHA1)), None)
            if refused is None or not self._by_sha1:
                break
            if isinstance(answers[refused], NoPermissionError):
                self._by_sha1 = False
            unknown = {
                call.script for call, one in zip(left, answers, strict=False) if isinstance(one, NOT_BY_SHA1)
            }
            done += answers[:refused]
            answers = answers[refused:]
        for one in (all_answers := done + answers):
            if isinstance(one, NOT_BY_SHA1):
                raise one
        return all_answers

    def _commands(self, calls: Sequence[ScriptCall], unknown: set[str]) -> list[tuple[Any, ...]]:
        commands, untaught = [], set(unknown)
        for call in calls:
            commands.append(call.command(by_sha1=self._by_sha1 and call.script not in untaught))
            untaught.discard(call.script)
        return commands

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
