"""The content security policy of the gateway's answers, and what an operator may add to it.

Owns the strict policy of our own client, what any other front end has beside it (its own fonts, media and manifest),
and the rules for additions: directive by directive, and none by which a stranger's script could run.
Never loosens `default-src`, `base-uri` or `frame-ancestors`, and never reads a setting.

Sources: Content Security Policy Level 3, sections 2.3.1 (sources) and 6; Trusted Types, section 4.3.
"""

import re
from dataclasses import dataclass
from typing import Final

from servicekit.setting_sentences import shown
from servicekit.web_address import host_in_normal_form, read_web_address

_OWN: Final = {
    "default-src": ("'none'",),
    "script-src": ("'self'",),
    "style-src": ("'self'",),
    "img-src": ("'self'",),
    "connect-src": ("'self'",),
    "form-action": ("'self'",),
    "base-uri": ("'none'",),
    "frame-ancestors": ("'none'",),
    "require-trusted-types-for": ("'script'",),
    "trusted-types": ("'none'",),
}
# What other front ends are made of, from their own folder.
_BESIDE: Final = dict.fromkeys(("font-src", "media-src", "manifest-src", "worker-src"), ("'self'",))
_NONE: Final = "'none'"
_TRUSTED_TYPES: Final = ("require-trusted-types-for", "trusted-types")

_HASH: Final = re.compile(
    r"'sha(?:256-[A-Za-z0-9+/_-]{43}=?|384-[A-Za-z0-9+/_-]{64}|512-[A-Za-z0-9+/_-]{86}={0,2})'"
)
_WORD_OF_HASH: Final = re.compile(r"'?sha(?:256|384|512)-", re.IGNORECASE)
_POLICY_NAME: Final = re.compile(r"[A-Za-z0-9#=_/@.%-]{1,64}")
_HOST_SOURCE: Final = re.compile(r"(https|wss|http|ws)://(\*\.)?([^/*]+)(/[^*]*)?", re.IGNORECASE)

_BLANKS: Final = " \t"

# By directive: schemes and words that may be added. Origins and hashes are judged by their form.
_WORDS: Final[dict[str, frozenset[str]]] = {
    "script-src": frozenset({"'wasm-unsafe-eval'", "'report-sample'"}),
    "style-src": frozenset({"'unsafe-inline'", "'report-sample'"}),
    "img-src": frozenset({"data:", "blob:", "https:"}),
    "font-src": frozenset({"data:", "https:"}),
    "media-src": frozenset({"data:", "blob:", "https:"}),
    "connect-src": frozenset({"data:", "blob:"}),
    "worker-src": frozenset({"blob:"}),
    "frame-src": frozenset({"'self'", "blob:"}),
    "manifest-src": frozenset(),
    "form-action": frozenset(),
}
_HASHED: Final = frozenset({"script-src", "style-src"})
# Whose origins run as ours once they are named: no wildcard stands for them.
_RUN: Final = frozenset({"script-src", "worker-src"})
# What a page asks for without CORS, so that its answer must say that it may be embedded (COEP).
_EMBEDDED: Final = frozenset({"script-src", "style-src", "img-src", "font-src", "media-src", "frame-src"})
_WHY_NEVER: Final = {
    "'unsafe-inline'": "would let any script run that gets into a page; a hash, 'sha256-…', stands for one script",
    "'unsafe-eval'": "would make code of any text; WebAssembly needs 'wasm-unsafe-eval' alone",
    "'unsafe-hashes'": "would let markup carry code",
    "'strict-dynamic'": "would take the place of 'self'",
    "'self'": "is there already",
    "'none'": "is no addition",
    "*": "would be everybody; name the origins",
}


@dataclass(frozen=True, slots=True)
class ContentPolicy:
    """The policy as the header says it; `embeds` tells whether pages may show what other origins did not offer."""

    text: str
    embeds: bool = False


def content_policy(*, front_end: bool = False, additions: str = "") -> ContentPolicy:
    """Return the policy of our own client, or of another front end with what was added.

    `additions` are as `read_additions` reads them; raises its ValueError.
    """
    added = read_additions(additions)
    directives = _OWN | _BESIDE if front_end else _OWN
    merged = {name: directives.get(name, ()) + added.get(name, ()) for name in (*directives, *added)}
    if "require-trusted-types-for" in added:
        merged = {name: sources for name, sources in merged.items() if name not in _TRUSTED_TYPES}
    elif "trusted-types" in added:
        merged["trusted-types"] = added["trusted-types"]
    return ContentPolicy(
        "; ".join(f"{name} {' '.join(sources)}" for name, sources in merged.items()),
        embeds=any(_names_others(added.get(name, ())) for name in _EMBEDDED),
    )


def read_additions(text: str) -> dict[str, tuple[str, ...]]:
    """Return what is added to each directive, from directives with semicolons between them, as a policy is written.

    `require-trusted-types-for 'none'` is our word for a front end without Trusted Types, which CSP has none for.
    Raises ValueError with a phrase that goes on from "which", for the first thing that may not be added.
    """
    added: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (part.strip(_BLANKS) for part in text.split(";"))):
        name, *sources = filter(None, re.split(f"[{_BLANKS}]", part))
        name = name.lower()
        if name in added:
            raise ValueError(f"has {_short(name)} twice")
        if not sources:
            raise ValueError(f"adds nothing to {_short(name)}")
        added[name] = tuple(dict.fromkeys(_judged(name, source) for source in sources))
    if len(set(_TRUSTED_TYPES) & added.keys()) > 1:
        raise ValueError("both names policies of Trusted Types and does without them")
    return added


def _judged(directive: str, source: str) -> str:
    """Return a source as browsers read it; raises ValueError."""
    if "," in source:
        raise ValueError(
            f"adds {_short(source)} to {directive}, which has a comma; sources have blanks between them"
        )
    if directive == "require-trusted-types-for":
        if source.lower() != _NONE:
            raise ValueError(
                "adds to require-trusted-types-for, which is there already; 'none' takes it away"
            )
        return _NONE
    if directive == "trusted-types":
        return _policy_name(source)
    if directive not in _WORDS:
        known = ", ".join(sorted({*_WORDS, *_TRUSTED_TYPES}))
        raise ValueError(f"names {_short(directive)}, which cannot be added to; what can be is {known}")
    if source.lower() in _WORDS[directive]:
        return source.lower()
    if _WORD_OF_HASH.match(source) and directive in _HASHED:
        if not _HASH.fullmatch(source):
            raise ValueError(
                f"adds {_short(source)} to {directive}, which is no hash in quotes such as 'sha256-…='"
            )
        return source
    if host := _HOST_SOURCE.fullmatch(source):
        return _origin(directive, source, host)
    raise ValueError(f"adds {_short(source)} to {directive}, which {_why_never(source)}")


def _policy_name(source: str) -> str:
    if source.lower() == "'allow-duplicates'":
        return source.lower()
    if not _POLICY_NAME.fullmatch(source):
        raise ValueError(f"adds {_short(source)} to trusted-types, which is no policy's name")
    return source


def _origin(directive: str, source: str, host: re.Match[str]) -> str:
    scheme, wildcard, name, path = host[1].lower(), host[2] or "", host[3], host[4] or ""
    try:
        address = read_web_address(f"{'https' if scheme in {'https', 'wss'} else 'http'}://{name}{path}")
    except ValueError as error:
        raise ValueError(f"adds {_short(source)} to {directive}, which {error}") from None
    if scheme in {"http", "ws"} and not address.is_on_loopback:
        raise ValueError(f"adds {_short(source)} to {directive}, which would come without encryption")
    if scheme in {"ws", "wss"} and directive != "connect-src":
        raise ValueError(f"adds {_short(source)} to {directive}, which is for connect-src alone")
    if wildcard and (directive in _RUN or "." not in address.host):
        raise ValueError(
            f"adds {_short(source)} to {directive}, which would be more than anybody can answer for"
        )
    if wildcard:
        host_in_normal_form(address.host)
    place = f"{address.host}" + (f":{address.port}" if address.port is not None else "")
    return f"{scheme}://{wildcard}{place}{address.path}"


def _why_never(source: str) -> str:
    word = source.lower()
    if word in _WHY_NEVER:
        return _WHY_NEVER[word]
    if word.startswith("'nonce-"):
        return "would be the same in every page, and so no secret; a hash such as 'sha256-…' stands for one script"
    if re.fullmatch(r"[a-z][a-z0-9+.-]*:", word):
        return "would be whatever comes by that scheme"
    return "is neither an origin with its scheme, such as https://cdn.example.com, nor a word that may stand there"


def _names_others(sources: tuple[str, ...]) -> bool:
    return any("://" in source or source == "https:" for source in sources)


def _short(text: str) -> str:
    """Return a word as a sentence shows it; those of CSP have their own quotes."""
    return text if re.fullmatch(r"'[a-z-]{1,40}'", text, re.IGNORECASE) else shown(text)
