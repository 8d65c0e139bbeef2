"""The door of the admin surface: who may come in, how bodies are read, how answers and refusals are written.

Loopback only, and never from a web page. Knows nothing of what is behind it.
"""

import json
from typing import Final, TypeVar

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ValidationError

from local_tenant.json_text import read_json
from local_tenant.loopback import is_loopback

_NO_STORE: Final = {"Cache-Control": "no-store"}
Model = TypeVar("Model", bound=BaseModel)


class AdminError(Exception):
    """The administrator asked for something that can't be; ``status`` and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@web.middleware
async def admin_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let only this machine in, and no web page: a page elsewhere could post to a loopback address too."""
    if request.path.split("/")[1] != "admin":
        return await handler(request)
    try:
        _check_caller(request)
        return await handler(request)
    except AdminError as error:
        return json_answer({"error": str(error)}, error.status)
    except web.HTTPException as error:  # no such path, or not this method
        answer = json_answer({"error": f"{request.method} {request.path}: {error.reason}."}, error.status)
        answer.headers.update({name: text for name, text in error.headers.items() if name == hdrs.ALLOW})
        return answer


def _check_caller(request: web.Request) -> None:
    named_here = is_loopback(request.url.host or "")  # another name would be a rebound one
    if not is_loopback(request.remote or "") or not named_here or hdrs.ORIGIN in request.headers:
        raise AdminError(403, "The admin surface answers programs on this machine only.")


def json_answer(value: object, status: int = 200) -> web.Response:
    """Return JSON that nobody stores."""
    return web.json_response(value, status=status, headers=_NO_STORE)


async def members_of(request: web.Request) -> dict[str, object]:
    """Return the body's members; an empty body has none."""
    sent = await request.read()
    try:
        members = read_json(sent) if sent.strip() else {}
    except ValueError:
        raise AdminError(400, "The body must be JSON.") from None
    if not isinstance(members, dict):
        raise AdminError(400, "The body must be a JSON object.")
    return members


async def body_of(request: web.Request, model: type[Model]) -> Model:
    """Return the body as a model. Raises AdminError (400) with what is wrong in it."""
    return valid(model, json.dumps(await members_of(request)))


def valid(model: type[Model], text: str) -> Model:
    """Return a model from JSON text. Raises AdminError (400)."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        sentences = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise AdminError(400, "; ".join(sentences)) from error
