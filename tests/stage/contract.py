"""Whether an answer is what the gateway's description says of its route: each that a test's person gets is judged.

What the description does not speak of is left alone: other paths, HEAD and other methods that a route does not take,
and the router's own answers where settings switch a route off.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from gateway import routes
from gateway.app_keys import SETTINGS
from tests.stage.json_schema import faults, resolve

DOCUMENT: Final = json.loads(routes.description())


def document_of(app: web.Application) -> Mapping[str, Any]:
    """Return the description that a gateway gives of itself: with the rows that its settings name."""
    return (
        dict(json.loads(routes.description(app[SETTINGS].upstreams))) if app[SETTINGS].upstreams else DOCUMENT
    )


_SWITCHED_OFF: Final = frozenset({404, 405})


def breaches(
    method: str,
    path: str,
    status: int,
    headers: Mapping[str, str],
    text: str,
    *,
    document: Mapping[str, Any] = DOCUMENT,
) -> Iterator[str]:
    """Yield a sentence for everything in which an answer differs from what is described."""
    responses = described(method, path, document).get("responses", {})
    if not responses or (status in _SWITCHED_OFF and path.startswith("/auth/")):
        return
    is_problem = headers.get("Content-Type", "").startswith("application/problem+json")
    if "default" in responses and not is_problem:
        return  # what an upstream says passes as it is
    if str(status) not in responses:
        yield f"{status} is not described: {text}"
        return
    response = resolve(responses[str(status)], document)
    for name, reference in response.get("headers", {}).items():
        yield from (
            f"{name}: {fault}" for fault in _of_header(resolve(reference, document), headers.get(name))
        )
    if "content" in response:
        kind = headers["Content-Type"].partition(";")[0]
        if kind not in response["content"]:
            yield f"{kind} is not described"
            return
        body = json.loads(text) if kind.endswith("json") else text
        yield from faults(body, response["content"][kind]["schema"], document)
    elif text:
        yield "no body is described"


def _of_header(header: Mapping[str, Any], value: str | None) -> Iterator[str]:
    if value is None:
        yield "is missing"
    elif header["schema"]["type"] == "integer":
        yield from faults(int(value), header["schema"], DOCUMENT)
    else:
        yield from faults(value, header["schema"], DOCUMENT)


def described(method: str, path: str, document: Mapping[str, Any] = DOCUMENT) -> Mapping[str, Any]:
    """Return the operation that a request asks for; empty where there is none."""
    for template, item in document["paths"].items():
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), urlsplit(path).path):
            return dict(item.get(method.lower(), {}))
    return {}
