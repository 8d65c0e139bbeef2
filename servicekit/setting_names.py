"""Names of variables that are no setting and look like one: what was probably meant.

Owns the comparison. Names that Kubernetes and Docker make for a service of ours are left alone, and so is whatever else
resembles nothing: orchestrators add variables of their own.
Never reads a value.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_NEAR: Final = 0.75
_NEAR_PREFIX: Final = 0.8
_FILE: Final = "_FILE"
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables; Docker's links are the same.
_OF_ORCHESTRATORS: Final = re.compile(
    r"SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?"
)


def near_misses(variables: Iterable[str], prefix: str, names: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each variable that is none of `names` below `prefix`, and was probably meant as one.

    `names` are without the prefix, those of files (`…_FILE`) among them.
    """
    known = list(names)
    for variable in sorted(variables):
        meant = _meant(variable, prefix, known)
        if meant is not None:
            hint = (
                " Only secrets come from files."
                if variable.upper().endswith(_FILE) and not meant.endswith(_FILE)
                else ""
            )
            yield f"{variable} is no setting. Did you mean {prefix}{meant}?{hint}"


def near_name(name: str, known: Sequence[str]) -> str | None:
    """Return which of the known names was probably meant by one that is none; words have underscores between."""
    words = sorted(filter(None, name.split("_")))
    if turned := [one for one in known if sorted(one.split("_")) == words]:
        return turned[0]
    import difflib  # noqa: PLC0415 -- 30 ms of a start, and only a misspelt name needs it

    near = difflib.get_close_matches(name, known, n=1, cutoff=_NEAR)
    return near[0] if near else None


def _meant(variable: str, prefix: str, known: list[str]) -> str | None:
    upper = variable.upper().replace("-", "_").replace(".", "_")
    if not upper.startswith(prefix):
        return _with_another_prefix(upper, prefix, known)
    name = upper.removeprefix(prefix)
    if name in known:
        return name if variable != prefix + name else None
    if _OF_ORCHESTRATORS.fullmatch(name):
        return None
    stem = name.removesuffix(_FILE)
    if stem in known:
        return stem
    return near_name(name, known)


def _with_another_prefix(upper: str, prefix: str, known: list[str]) -> str | None:
    """Return the setting whose prefix is misspelt; the rest of the name must be one to the letter."""
    for name in sorted(known, key=len, reverse=True):
        if upper.endswith(f"_{name}"):
            import difflib  # noqa: PLC0415 -- as above

            theirs = upper.removesuffix(name)
            close = difflib.SequenceMatcher(None, theirs, prefix).ratio() >= _NEAR_PREFIX
            return name if close and theirs[0] == prefix[0] else None
    return None
