"""Notes: an API of another team, which the gateway is put before. It keeps them in memory, each person's apart.

It knows nothing of the gateway: a bearer token opens it, checked against the tenant's keys, and where a note that is
there is changed or deleted it wants to see MFA in the token, in Entra's own form of a claims challenge.
Told by the tenant's metadata: NOTES_ISSUER (`issuer`) and NOTES_KEYS (`jwks_uri`). Never more than a demonstration.
"""

import asyncio
import itertools
import os
from base64 import b64encode
from collections import defaultdict

import jwt
from aiohttp import web

CLIENT_ID = "d4e8a2b6-91c3-4f57-8b0e-6a2c5d7f9e13"
MFA = b64encode(b'{"access_token":{"acrs":{"essential":true,"value":"c1"}}}').decode()
LONGEST = 2_000

keys = jwt.PyJWKClient(os.environ["NOTES_KEYS"])
notes: defaultdict[str, dict[str, dict[str, str]]] = defaultdict(dict)
numbers = map(str, itertools.count(1))


async def own_notes(request: web.Request, *, mfa: bool = False) -> dict[str, dict[str, str]]:
    """Return the notes of whom the token is about. Raises 401 or 403 with a challenge, 503 without keys."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        key = await asyncio.to_thread(keys.get_signing_key_from_jwt, token)
        needed = ["exp", "iss", "aud", "oid", "scp"]
        claims = jwt.decode(
            token, key, ["RS256"], {"require": needed}, audience=CLIENT_ID, issuer=os.environ["NOTES_ISSUER"]
        )
    except jwt.PyJWKClientConnectionError:
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "2"}) from None
    except jwt.PyJWTError:
        raise web.HTTPUnauthorized(headers=challenge("invalid_token")) from None
    if "Notes.ReadWrite" not in claims["scp"].split():
        raise web.HTTPForbidden(headers=challenge("insufficient_scope"))
    if mfa and "c1" not in claims.get("acrs", []):
        raise web.HTTPUnauthorized(headers=challenge(f'insufficient_claims", claims="{MFA}'))
    return notes[claims["oid"]]


def challenge(error: str) -> dict[str, str]:
    return {"WWW-Authenticate": f'Bearer error="{error}"'}


async def text_of(request: web.Request) -> str:
    """Return the text that a note is to have. Raises 400 for anything else."""
    try:
        body = await request.json() if request.can_read_body else None
    except ValueError:
        body = None
    text = body.get("text") if isinstance(body, dict) and set(body) == {"text"} else None
    if not isinstance(text, str) or not 0 < len(text.strip()) <= LONGEST:
        raise web.HTTPBadRequest(text=f"a note is a text of 1 to {LONGEST} characters")
    return text


async def listed(request: web.Request) -> web.Response:
    return web.json_response([*(await own_notes(request)).values()])


async def add(request: web.Request) -> web.Response:
    own = await own_notes(request)
    note = {"id": next(numbers), "text": await text_of(request)}
    own[note["id"]] = note
    return web.json_response(note, status=201, headers={"Location": f"/notes/{note['id']}"})


async def one(request: web.Request) -> web.Response:
    """Read, change or delete a note: all but reading behind MFA."""
    own = await own_notes(request, mfa=request.method not in {"GET", "HEAD"})
    if (note := own.get(request.match_info["id"])) is None:
        raise web.HTTPNotFound
    if request.method == "DELETE":
        del own[note["id"]]
        return web.Response(status=204)
    if request.method == "PATCH":
        note["text"] = await text_of(request)
    return web.json_response(note)


app = web.Application()
app.add_routes([web.get("/notes", listed), web.post("/notes", add)])
app.add_routes([route("/notes/{id}", one) for route in (web.get, web.patch, web.delete)])

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["NOTES_PORT"]), print=None)
