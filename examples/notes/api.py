"""Notes: an API of another team, which the gateway is put before. It keeps them in memory, each person's apart.

It knows nothing of the gateway: a bearer token opens it, checked against the keys that the tenant's metadata name
(NOTES_ISSUER, NOTES_KEYS), and whoever changes or deletes a note shows MFA in it: the claim `acrs` has `c1`.
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
NEEDED = ["exp", "iss", "aud", "oid", "scp"]
ISSUER = os.environ["NOTES_ISSUER"]
LONGEST = 2_000

keys = jwt.PyJWKClient(os.environ["NOTES_KEYS"])
notes: defaultdict[str, dict[str, dict[str, str]]] = defaultdict(dict)
numbers = map(str, itertools.count(1))


def challenge(error: str) -> dict[str, str]:
    return {"WWW-Authenticate": f'Bearer error="{error}"'}


async def own_notes(request: web.Request, *, mfa: bool = False) -> dict[str, dict[str, str]]:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        key = await asyncio.to_thread(keys.get_signing_key_from_jwt, token)
        claims = jwt.decode(token, key, ["RS256"], {"require": NEEDED}, audience=CLIENT_ID, issuer=ISSUER)
    except jwt.PyJWKClientConnectionError:
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "2"}) from None
    except jwt.PyJWTError:
        raise web.HTTPUnauthorized(headers=challenge("invalid_token")) from None
    if "Notes.ReadWrite" not in claims["scp"].split():
        raise web.HTTPForbidden(headers=challenge("insufficient_scope"))
    if mfa and "c1" not in claims.get("acrs", []):
        raise web.HTTPUnauthorized(headers=challenge(f'insufficient_claims", claims="{MFA}'))
    return notes[claims["oid"]]


async def text_of(request: web.Request) -> str:
    try:
        match await request.json():
            case {"text": str(text), **rest} if not rest and 0 < len(text.strip()) <= LONGEST:
                return text
    except ValueError:
        pass
    raise web.HTTPBadRequest(text=f"a note is a text of 1 to {LONGEST} characters")


async def listed_or_added(request: web.Request) -> web.Response:
    own = await own_notes(request)
    if request.method != "POST":
        return web.json_response([*own.values()])
    note = {"id": next(numbers), "text": await text_of(request)}
    own[note["id"]] = note
    return web.json_response(note, status=201, headers={"Location": f"/notes/{note['id']}"})


async def read_or_changed(request: web.Request) -> web.Response:
    own = await own_notes(request, mfa=request.method in {"PATCH", "DELETE"})
    if (note := own.get(request.match_info["id"])) is None:
        raise web.HTTPNotFound
    if request.method == "DELETE":
        del own[note["id"]]
        return web.Response(status=204)
    if request.method == "PATCH":
        note["text"] = await text_of(request)
    return web.json_response(note)


app = web.Application()
app.add_routes([route("/notes", listed_or_added) for route in (web.get, web.post)])
app.add_routes([route("/notes/{id}", read_or_changed) for route in (web.get, web.patch, web.delete)])

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["NOTES_PORT"]), print=None)
