"""Starlette with Authlib, sessions in Redis by starsessions, and a route that passes reads on with the token."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from authlib.integrations.starlette_client import OAuth
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starsessions import SessionAutoloadMiddleware, SessionMiddleware
from starsessions.stores.redis import RedisStore

UPSTREAM = os.environ["UPSTREAM"]
oauth = OAuth()
oauth.register(
    "op",
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    client_kwargs={"scope": os.environ["SCOPES"], "code_challenge_method": "S256"},
)


async def sign_in(request: Request) -> Response:
    """Leave for the provider."""
    answer: Response = await oauth.op.authorize_redirect(request, f"{os.environ['BASE_URL']}/auth/callback")
    return answer


async def callback(request: Request) -> Response:
    """Redeem the code, and keep person and tokens in the session."""
    token = await oauth.op.authorize_access_token(request)
    request.session["user"] = dict(token["userinfo"])
    request.session["access_token"] = token["access_token"]
    request.session["refresh_token"] = token["refresh_token"]
    return RedirectResponse("/api/session")


async def session(request: Request) -> Response:
    """Say who is signed in."""
    user = request.session.get("user")
    return JSONResponse(
        {"user": user}, headers={"Cache-Control": "no-store"}, status_code=200 if user else 401
    )


async def row(request: Request) -> Response:
    """Pass a read on, with the person's token."""
    token = request.session.get("access_token")
    if token is None:
        return JSONResponse({"detail": "sign in"}, status_code=401)
    url = f"{UPSTREAM}/{request.path_params['path']}"
    async with request.app.state.http.get(url, headers={"Authorization": f"Bearer {token}"}) as came:
        return Response(await came.read(), came.status, media_type=came.content_type)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Hold connections to the API."""
    async with aiohttp.ClientSession() as app.state.http:
        yield


app = Starlette(
    routes=[
        Route("/auth/sign-in", sign_in),
        Route("/auth/callback", callback),
        Route("/api/session", session),
        Route("/api/rows/{path:path}", row),
    ],
    middleware=[
        Middleware(
            SessionMiddleware,
            store=RedisStore(os.environ["REDIS_URL"]),
            lifetime=3600 * 8,
            rolling=False,
            cookie_https_only=False,
        ),
        Middleware(SessionAutoloadMiddleware),
    ],
    lifespan=lifespan,
)
