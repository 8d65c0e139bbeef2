"""Whom the authority need not ask for: the hint that it gave us itself, or none.

Owns what may stand in an address: of all that is known of a person only Entra's optional claim `login_hint`, which is
made for that and says nothing to anybody else (Microsoft identity platform, "Optional claims reference"; `logout_hint`
in "OpenID Connect on the Microsoft identity platform"). Addresses are kept by browsers, proxies and servers, so a name,
an e-mail address or an id never goes there; other providers' hint would be one of these (OpenID Connect Core, section
3.1.2.1).
Never asks the authority anything, and never says who somebody is.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

# Without the signs of an e-mail address, of one that is encoded, and of a Windows account.
_OPAQUE: Final = re.compile(r"[A-Za-z0-9._~+/=:-]{1,1024}")
# Characters; a given name of three letters stands in any long text of letters by chance.
_NO_COINCIDENCE: Final = 6


def login_hint(claims: Mapping[str, Any]) -> str | None:
    """Return the hint among the claims of an ID token, for `login_hint` and `logout_hint`; None where there is none.

    A provider may put what it likes into a claim of that name: what another claim says as well, whole or as a part that
    is no coincidence, is no hint.
    """
    hint = claims.get("login_hint")
    if not isinstance(hint, str) or not _OPAQUE.fullmatch(hint):
        return None
    said = (value for name, value in claims.items() if name != "login_hint" and isinstance(value, str))
    return None if any(_tells(hint.casefold(), value.casefold()) for value in said) else hint


def _tells(hint: str, value: str) -> bool:
    return hint == value or (len(value) >= _NO_COINCIDENCE and value in hint)
