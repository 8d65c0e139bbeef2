"""Whether a browser asks for a page that a person will look at.

Owns how that is told from what a request says of itself.
Never decides who may ask: scripts cannot forge Fetch Metadata, but programs can.
"""

from aiohttp import hdrs, web


def is_page_wanted(request: web.Request, *, default: bool = False) -> bool:
    """Tell whether a browser asks for a page to show; `default` counts where the request does not say.

    Fetch Metadata says it, and of older browsers `Accept`.
    """
    if request.method not in {hdrs.METH_GET, hdrs.METH_HEAD}:
        return False
    destination = request.headers.get("Sec-Fetch-Dest")
    if destination is not None:
        return destination == "document"
    return default or "text/html" in request.headers.get(hdrs.ACCEPT, "")
