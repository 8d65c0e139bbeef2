"""The upstreams as one resource of the router: which row answers a request is decided by its raw target alone.

Owns that decision, so that no spelling of a path gets around a row, and none to another: the router itself would look
at the decoded path, and go on to a shorter prefix where a method is missing at the longer one.
Never answers a request, and never judges what follows the prefix (`paths.py` does).
"""

from collections.abc import Iterator

from aiohttp import web
from aiohttp.web_urldispatcher import MatchInfoError, ResourceRoute, UrlMappingMatchInfo

from gateway.proxy.paths import UpstreamPaths


def template_of(prefix: str) -> str:
    """Return how metrics, the log and the API's description write all paths of a prefix."""
    return f"{prefix}/{{path}}"


class UpstreamsResource(web.DynamicResource):
    """What the router asks for every path below /api/ that no resource of the gateway's own has.

    Each prefix has a resource with the routes of its methods; none of them is known to the router itself.
    """

    def __init__(self, paths: UpstreamPaths) -> None:
        super().__init__("/api/{path}")
        self._paths = paths
        self._prefixes = {prefix: web.DynamicResource(template_of(prefix)) for prefix in paths.prefixes}
        self._by_method: dict[str, dict[str, ResourceRoute]] = {}

    def of_prefix(self, prefix: str) -> web.Resource:
        """Return the resource of a prefix, to add routes to, before the first request is resolved."""
        return self._prefixes[prefix]

    async def resolve(self, request: web.Request) -> tuple[UrlMappingMatchInfo | None, set[str]]:
        """Return the route of the longest prefix for the request's method, or its 405; nothing without a prefix."""
        prefix = self._paths.prefix_of(request.raw_path)
        if prefix is None:
            return None, set()
        routes = self._by_method.get(prefix)
        if routes is None:
            routes = self._by_method[prefix] = {route.method: route for route in self._prefixes[prefix]}
        if route := routes.get(request.method):
            return UrlMappingMatchInfo({}, route), set(routes)
        return MatchInfoError(web.HTTPMethodNotAllowed(request.method, routes)), set(routes)

    def __iter__(self) -> Iterator[ResourceRoute]:
        """Return the routes of all prefixes, for whoever lists what the router knows."""
        return (route for resource in self._prefixes.values() for route in resource)

    def __len__(self) -> int:
        """Return how many there are."""
        return sum(map(len, self._prefixes.values()))
