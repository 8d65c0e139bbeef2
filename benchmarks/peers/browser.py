"""People who sign in at a peer: browsers that follow redirects and keep cookies, and are known to the provider.

The provider shows no page: it answers at once for the person whose cookie the browser has there.
"""

import asyncio
from collections.abc import Sequence

import aiohttp
from yarl import URL


def people_signed_in(url: str, provider: str, people: Sequence[str]) -> dict[str, str]:
    """Sign people in, each in a browser of their own; return by person the `Cookie` that it sends afterwards."""

    async def everybody() -> dict[str, str]:
        return {person: await _signed_in(url, provider, person) for person in people}

    return asyncio.run(everybody())


async def _signed_in(url: str, provider: str, person: str) -> str:
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[URL(url).origin()])
    jar.update_cookies({"person": person}, URL(provider))
    async with (
        aiohttp.ClientSession(cookie_jar=jar) as session,
        session.get(url, max_redirects=12) as response,
    ):
        await response.read()
    cookies = jar.filter_cookies(URL(url).origin())
    return "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items() if morsel.value)
