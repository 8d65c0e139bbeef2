"""The usual mistakes in the text of a setting, whatever the setting: told by name, before its own form is judged.

Owns what is told apart: quotes that a reader of files keeps, placeholders of instructions, variables that nobody filled
in, GUIDs in braces, comments, ends of lines and invisible characters, and what Kubernetes sets by itself.
Never shows the text, knows no setting by name, and never mends: what was not meant as it stands may mean anything.
"""

import re
import unicodedata
from typing import Final

_QUOTES: Final = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u201e": "\u201c", "\u2018": "\u2019"}
_GUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PHRASES: Final = (
    (
        re.compile(rf"[{{(]{_GUID}[)}}]", re.IGNORECASE),
        "is a GUID in braces: leave them out",
    ),
    (
        # Those of Microsoft's documents and samples first, then those of everybody's.
        re.compile(
            r".*\bEnter_\w*Here\b.*|.*<[A-Za-z][^<>]*>.*|.*\{\{.*\}\}.*|\{[A-Za-z][\w -]*\}"
            r"|(?:the[-_ ])?your[-_ ].*|.*[-_ ]goes[-_ ]here|(?:change|replace)[-_ ]?(?:me|this|it)|todo|tbd|x{4,}"
            r"|x{8}(?:-x{4}){3}-x{12}|\.\.\.|…|insert[-_ ].*|aaaabbbb-0000-cccc-1111-dddd2222eeee"
            r"|00001111-aaaa-2222-bbbb-3333cccc4444|A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6",
            re.IGNORECASE,
        ),
        "is a placeholder that was never filled in",
    ),
    (
        re.compile(r".*\$\{\w*.*|\$\w+|%\w+%|\$\(.*\)"),
        "holds the name of a variable that nobody filled in",
    ),
    (
        re.compile(r"(?:tcp|udp)://[0-9a-f.:\[\]]+", re.IGNORECASE),
        "is what Kubernetes sets for a Service of this name: let the pod have enableServiceLinks: false",
    ),
    (re.compile(r".*[\x00-\x1f\x7f].*", re.DOTALL), "holds an end of line or another control character"),
    (
        # One alone: where a list of words in quotes begins or ends with one, they belong to it.
        re.compile(r"([\"'`])(?:(?!\1).)*|(?=.*([\"'`])$)(?:(?!\2).)*\2"),
        "begins or ends with a quote: leave it out",
    ),
    (
        re.compile(r".*\s#.*"),
        "holds a comment: all that follows the = is the value here (docker's --env-file keeps it)",
    ),
)
# In a secret only what cannot be one: its other characters are the authority's to choose.
_PHRASES_OF_SECRETS: Final = (
    re.compile(
        r"Enter_\w*Here|<[A-Za-z][^<>]*>|\$\{\w+\}|\{\{.*\}\}"
        r"|(?:the[-_ ])?your[-_ ](?:\w+[-_ ])*(?:secret|password|key|value)"
        r"|(?:change|replace)[-_ ]?(?:me|this|it)|insert[-_ ].*here|A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6",
        re.IGNORECASE,
    ),
    "is a placeholder that was never filled in",
)


def mistake_in(text: str, *, secret: bool) -> str | None:
    """Return a phrase for the usual mistake that a text without spaces around it is, or None.

    Not checked: what only the setting's own form can know.
    """
    if "-----BEGIN" in text:
        return None
    if _is_unseen(text[0]) or _is_unseen(text[-1]):
        return "begins or ends with a character that cannot be seen, such as a byte order mark"
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        return "is in quotes, which belong to it here: leave them out (docker's --env-file keeps them)"
    phrases = (_PHRASES_OF_SECRETS,) if secret else _PHRASES
    return next((phrase for pattern, phrase in phrases if pattern.fullmatch(text)), None)


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Co", "Cn"}
