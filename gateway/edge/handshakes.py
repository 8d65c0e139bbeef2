"""The opening handshake of a WebSocket, as a browser sends it (RFC 6455, section 4.2.1).

Owns whether a request is one, what is wrong with it, and which subprotocols it offers.
Never opens anything, and never says whose pages may: the guard does.
"""

import re
from typing import Final

from aiohttp import hdrs, web

from servicekit.errors import BadRequest

_VERSION: Final = "13"
# A name of a subprotocol is a token (RFC 6455, section 4.1).
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}")
_MOST_SUBPROTOCOLS: Final = 20
# What the library reads of a handshake; everything else is none of its business.
_OF_A_HANDSHAKE: Final = (
    hdrs.HOST,
    hdrs.UPGRADE,
    hdrs.CONNECTION,
    hdrs.SEC_WEBSOCKET_KEY,
    hdrs.SEC_WEBSOCKET_VERSION,
)


def is_handshake(request: web.BaseRequest) -> bool:
    """Tell whether a request asks for a WebSocket; one that asks for anything else is an ordinary request.

    So nobody who may not send an ordinary one gains by an `Upgrade` to h2c, or by one that `Connection` does not name.
    """
    upgrades = request.headers.getall(hdrs.UPGRADE, [])
    named = ",".join(request.headers.getall(hdrs.CONNECTION, [])).split(",")
    return (
        request.method == hdrs.METH_GET
        and request.version >= (1, 1)
        and [upgrade.strip(" \t").lower() for upgrade in upgrades] == ["websocket"]
        and "upgrade" in {name.strip(" \t").lower() for name in named}
    )


def subprotocols(request: web.BaseRequest) -> tuple[str, ...]:
    """Return the subprotocols that a handshake offers, in its order; raises BadRequest for what is no list of them."""
    offered = request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, [])
    names = tuple(name.strip(" \t") for name in ",".join(offered).split(",")) if offered else ()
    if len(names) > _MOST_SUBPROTOCOLS or len(set(names)) < len(names):
        raise BadRequest("Sec-WebSocket-Protocol names too many subprotocols, or one twice.")
    if not all(map(_TOKEN.fullmatch, names)):
        raise BadRequest("Sec-WebSocket-Protocol is no list of subprotocols.")
    return names


def refuse_bad_handshake(request: web.BaseRequest) -> None:
    """Raise BadRequest for a handshake that is none; for another version it names ours (RFC 6455, section 4.4).

    A body would be read as frames by one side and as a body by the other, and is refused.
    """
    if request.headers.getall(hdrs.SEC_WEBSOCKET_VERSION, []) != [_VERSION]:
        raise BadRequest("Send Sec-WebSocket-Version: 13.", headers={hdrs.SEC_WEBSOCKET_VERSION: _VERSION})
    if request.can_read_body or hdrs.TRANSFER_ENCODING in request.headers:
        raise BadRequest("A WebSocket handshake has no body.")
    if len(request.headers.getall(hdrs.SEC_WEBSOCKET_KEY, [])) != 1:
        raise BadRequest("Send one Sec-WebSocket-Key.")
    if not web.WebSocketResponse().can_prepare(answered_with(request, None)):
        raise BadRequest("This is no WebSocket handshake.")


def answered_with(request: web.BaseRequest, subprotocol: str | None) -> web.BaseRequest:
    """Return the handshake with one subprotocol, which is the one that is chosen then, or none.

    The library would choose by itself, and log what a stranger offers.
    """
    headers = {name: request.headers[name] for name in _OF_A_HANDSHAKE if name in request.headers}
    headers[hdrs.CONNECTION] = "Upgrade"
    if subprotocol:
        headers[hdrs.SEC_WEBSOCKET_PROTOCOL] = subprotocol
    return request.clone(headers=headers)
