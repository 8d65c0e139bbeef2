"""What went wrong with an installation, whichever program it was tried with.

Owns nothing but the shape: pip_output and uv_output fill it, installation decides by it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InstallFailure:
    """One attempt that failed."""

    sentence: str
    """Why, for the person who has to do something about it."""
    absent: str | None = None
    """The package that the index has no file of for this computer, where that is the reason."""
    wrote: bool = False
    """Whether files may have been written, so that the environment is to be made anew."""
    final: bool = False
    """Whether another program would only say the same."""
