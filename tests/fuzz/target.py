"""What a fuzz target is: one reader of foreign text, and what it promises whatever it is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).with_name("corpus")


@dataclass(frozen=True)
class Target:
    """One reader of foreign text.

    `promise` says what holds for every input, as a sentence about the reader. `check` gives it one input, and raises
    where the promise is broken: AssertionError, or whatever the reader raises that it never said it would.
    `words` are what its format is made of. `made` are inputs that no file can hold, as they depend on a key.
    """

    name: str
    promise: str
    check: Callable[[bytes], object]
    words: Sequence[bytes]
    made: Sequence[bytes] = ()

    @property
    def kept(self) -> dict[str, bytes]:
        """The corpus by name: examples of the format, attacks, and what was found before."""
        return {file.name: file.read_bytes() for file in sorted((CORPUS / self.name).glob("*"))}

    @property
    def seeds(self) -> list[bytes]:
        """Whatever is worth changing a little."""
        return [*self.made, *self.kept.values()]

    def keep(self, name: str, data: bytes) -> Path:
        """Add an input to the corpus; return the file."""
        path = CORPUS / self.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


def text_of(data: bytes) -> str:
    """Return bytes as aiohttp hands on those of a header: what is no UTF-8 is a lone surrogate."""
    return data.decode(errors="surrogateescape")
