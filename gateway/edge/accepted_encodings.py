"""In which form a browser takes a content: `Accept-Encoding`, as it is meant and as it is written.

Owns reading the header, and which of the forms that there are is sent.
Never refuses: whoever takes none of them, not even the plain one, gets the plain one (RFC 9110, section 12.4.1).

Source: RFC 9110, sections 8.4.1 and 12.5.3.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

GZIP: Final = "gzip"
BROTLI: Final = "br"
PLAIN: Final = "identity"
_ANY: Final = "*"
# Longer than any browser's; what follows is not read.
_LONGEST: Final = 1_000
# A weight that is none takes the whole item along: what cannot be read is not taken.
_ITEM: Final = re.compile(r"([!#$%&'*+.^_`|~0-9a-z-]++)(?:[ \t]*+;[ \t]*+q=(0(?:\.\d*+)?|1(?:\.0*+)?))?")
# RFC 9110, section 8.4.1.3.
_SPELLINGS: Final = {"x-gzip": GZIP}


def best_encoding(headers: Iterable[str], offered: Sequence[str]) -> str:
    """Return which of `offered` to send, the dearest to us first, or `PLAIN`; `headers` are all that were sent.

    `*` stands for gzip alone: who names no brotli may have been written before there was any.
    """
    weights = _weights(",".join(headers)[:_LONGEST])
    of_any = weights.get(_ANY, 0.0)
    best, most = PLAIN, 0.0
    for coding in offered:
        weight = weights.get(coding, of_any if coding == GZIP else 0.0)
        if weight > most:
            best, most = coding, weight
    # Not named, it is taken where nothing else is.
    return PLAIN if weights.get(PLAIN, 0.0) > most else best


def _weights(header: str) -> Mapping[str, float]:
    weights: dict[str, float] = {}
    for item in header.lower().split(","):
        if found := _ITEM.fullmatch(item.strip(" \t")):
            coding = _SPELLINGS.get(found[1], found[1])
            # Named twice, it is believed where it says less.
            weights[coding] = min(float(found[2] or 1), weights.get(coding, 1.0))
    return weights
