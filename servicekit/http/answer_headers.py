"""The headers that every answer of a service has, whoever makes it.

Owns where an application leaves them for the server below it, which answers by itself what is no request.
Never says what they are: each service does.
"""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

ANSWER_HEADERS: Final[web.AppKey[Mapping[str, str]]] = web.AppKey("answer_headers")
