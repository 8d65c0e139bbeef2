"""The single sign-on cookie, as a browser brings it back.

Owns reading it: pairs end at `;` alone, blanks and tabs around them count for nothing, and a cookie that is there twice
is none, because another port of this computer may have set one of them.
Never judges the value: ``sessions.py`` knows which ones there are.
"""

from typing import Final

from aiohttp import hdrs, web

SSO_COOKIE: Final = "stand_in_sso"


def sso_handle(request: web.Request) -> str | None:
    """Return the value of the request's single sign-on cookie; None where there is none, or more than one."""
    found: list[str] = []
    for line in request.headers.getall(hdrs.COOKIE, []):
        for pair in line.split(";"):
            name, equals, value = pair.partition("=")
            if equals and name.strip(" \t") == SSO_COOKIE:
                found.append(value.strip(" \t"))
    return found[0] if len(found) == 1 else None
