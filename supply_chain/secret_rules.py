"""What a secret looks like that somebody wrote into a file: one rule a kind.

Owns the patterns, each with its name; a rule matches what only a secret looks like, so that each find is worth a look.
Never reads a file. A secret without a form of its own, such as a password that is a word, is not found.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

_BASE64: Final = r"[A-Za-z0-9+/]"
# Bits a character: words and names have fewer, what was drawn at random from an alphabet of 64 has more.
_LEAST_ENTROPY: Final = 4.3

# By name: what must stand in a text for the rule to be tried at all, which is quick, and the rule.
_RULES: Final = {
    # RFC 7468; the lines may be written with \n in a string.
    "private-key-pem": (
        "PRIVATE KEY-----",
        rf"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:\s|\\n|\"|')*(?:{_BASE64}{{60,}})",
    ),
    # The same without its frame: PKCS #8 and PKCS #1 of RSA, PKCS #8 of elliptic curves.
    "private-key-der-rsa": (
        "MII",
        rf"MII{_BASE64}{{3,5}}(?:IBADANBgkqhkiG9w0BAQEFAASC|AAKC|AgEAAoIB){_BASE64}{{60,}}",
    ),
    "private-key-der-ec": ("ByqGSM49", rf"MI(?:GH|G2|Hu)AgEAMB{_BASE64}{{2}}ByqGSM49{_BASE64}{{40,}}"),
    "private-key-der-ed25519": ("MC4CAQAwBQYDK2VwBCIEI", rf"MC4CAQAwBQYDK2VwBCIEI{_BASE64}{{40,}}"),
    "jwt": ("eyJ", r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
    # The form in which Entra gives out client secrets.
    "entra-client-secret": ("Q~", r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])"),
    "sealing-key": ("SEALING_KEY", r"SEALING_KEYS?[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9_-]{43}=?(?![\w/-])"),
    "redis-password": ("redis", r"rediss?(?:\+\w+)?://[^\s:@/]*:(?=[^@\s]*\d)(?=[^@\s]*[A-Z])[\w~.-]{16,}@"),
    "azure-storage-key": ("AccountKey=", rf"AccountKey={_BASE64}{{86}}=="),
    "aws-key": ("IA", r"(?<!\w)(?:AKIA|ASIA)[0-9A-Z]{16}(?!\w)"),
    "github-token": ("gh", r"(?<!\w)gh[pousr]_[A-Za-z0-9]{36,}"),
    "github-fine-token": ("github_pat_", r"(?<!\w)github_pat_\w{60,}"),
    "gitlab-token": ("glpat-", r"(?<!\w)glpat-[\w-]{20,}"),
    "slack-token": ("xox", r"(?<!\w)xox[abeprs]-[\w-]{10,}"),
    "google-key": ("AIza", r"(?<!\w)AIza[\w-]{35}(?!\w)"),
    "stripe-key": ("k_live_", r"(?<!\w)[rs]k_live_\w{20,}"),
    "npm-token": ("npm_", r"(?<!\w)npm_[A-Za-z0-9]{36}"),
    "pypi-token": ("pypi-AgEI", r"pypi-AgEI[\w-]{50,}"),
}
_PATTERNS: Final = tuple((name, sign, re.compile(rule)) for name, (sign, rule) in _RULES.items())
_GIVEN: Final = re.compile(
    r"(?:[Ss]ecret|SECRET|[Pp]assw(?:or)?d|PASSW(?:OR)?D|[Tt]oken|TOKEN|[Aa]pi_?[Kk]ey|API_?KEY|[Ss]ealing_?[Kk]ey)"
    r"\w*[\"']?\s*(?:=|:|:\s*\w+\s*=)\s*[\"']?([A-Za-z0-9+/_=~.-]{24,})"
)
GIVEN: Final = "random-text-for-a-secret"


def secrets_in(text: str) -> Iterator[tuple[str, int, str]]:
    """Yield the rule, the offset and the text of each find."""
    for name, sign, pattern in _PATTERNS:
        if sign in text:
            for found in pattern.finditer(text):
                yield name, found.start(), found[0]
    for found in _GIVEN.finditer(text):
        if (
            _entropy(found[1]) >= _LEAST_ENTROPY
            and re.search(r"\d", found[1])
            and re.search(r"[A-Za-z]", found[1])
        ):
            yield GIVEN, found.start(1), found[1]


def rule_names() -> frozenset[str]:
    """Return the names of all rules."""
    return frozenset(_RULES) | {GIVEN}


def _entropy(text: str) -> float:
    """Return the bits that a character of the text carries, by how often each occurs (Shannon)."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
