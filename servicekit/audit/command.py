"""`audit verify FILE…`: the command that both services have.

Owns what it prints, and its exit status; its arguments are in `arguments.py`.
Never prints what a line says, or a key.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from servicekit.audit.chain import TrailKeys
from servicekit.audit.verification import Judgement, Verification
from servicekit.authority_settings import AuthoritySettings
from servicekit.secret_keys import read_keys
from servicekit.settings_faults import SettingsFault

_MOST_FAULTS: Final = 20
PROVEN: Final = 0
BROKEN: Final = 1
UNJUDGED: Final = 2


def keys_of(load: Callable[[], AuthoritySettings], given: str | None) -> TrailKeys:
    """Return the keys that lines are judged by: those of the service, or of `given` where there is no more of it here.

    `load` returns the service's settings; raises SettingsFault where they cannot be used and no keys are given.
    """
    try:
        return TrailKeys(load().trail_keys)
    except SettingsFault:
        try:
            return TrailKeys(read_keys(given or ""))
        except ValueError:
            pass
        raise


def verify(arguments: argparse.Namespace, keys: TrailKeys) -> tuple[str, int]:
    """Judge the files; return what to print, and the exit status."""
    verification = Verification(keys, is_mixed=arguments.mixed, lacks_beginning=arguments.lacks_beginning)
    for name in arguments.files:
        try:
            if name == "-":
                verification.judge("standard input", sys.stdin.buffer)
            else:
                with Path(name).open("rb") as lines:
                    verification.judge(name, lines)
        except OSError as error:
            return f"{name} cannot be read: {error.strerror}.", UNJUDGED
    judged = verification.end()
    return "\n".join(_lines(judged, is_signed=bool(keys.signing))), _status(judged)


def _status(judged: Judgement) -> int:
    if judged.faults:
        return BROKEN
    return UNJUDGED if judged.unjudged or not judged.lines else PROVEN


def _lines(judged: Judgement, *, is_signed: bool) -> Iterator[str]:
    yield from _listed("broken", judged.faults)
    yield from _listed("not judged", judged.unjudged)
    yield from _listed("notice", judged.notices)
    if not is_signed:
        yield "notice: no key is set, so that whoever could write the files could also write the chain anew."
    what = f"{_counted(judged.lines, 'line')} in {_counted(judged.chains, 'chain')}"
    yield {
        PROVEN: f"As it was written: {what}.",
        BROKEN: f"Broken: {what}, {_counted(len(judged.faults), 'fault')}.",
        UNJUDGED: f"Not judged: {what}.",
    }[_status(judged)]


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _listed(kind: str, sentences: Sequence[str]) -> Iterator[str]:
    for sentence in sentences[:_MOST_FAULTS]:
        yield f"{kind}: {sentence}"
    if len(sentences) > _MOST_FAULTS:
        yield f"{kind}: and {len(sentences) - _MOST_FAULTS} more."
