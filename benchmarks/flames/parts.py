"""The parts of the work on a request, and to which of them a sampled stack belongs.

A stack belongs to the part of its innermost function that has one: what a library does for the guard is the guard's.
"""

from collections import Counter
from typing import Final

from benchmarks.flames.stacks import Frame, Stack

SERVER: Final = "server"
PARTS: Final = {
    SERVER: "event loop, sockets, reading of requests",
    "pipeline": "from the request to its handler and back",
    "guard": "host, origin, fetch metadata, own header, cookies",
    "limits": "of addresses and of people",
    "session": "cookie, records, their opening",
    "Redis": "commands, replies, breaker, budget",
    "tokens": "which token, and whether it is good",
    "upstream": "the exchange with the API behind us",
    "handler": "what the URL names",
    "answer": "JSON, headers, writing",
    "log": "access line and other records",
    "metrics": "counts and durations",
    "audit": "who did what, where that is noted",
}
# The first one that a file's name begins with counts.
FILES: Final = (
    ("servicekit/http/access_log", "log"),
    ("servicekit/log", "log"),
    ("logging/", "log"),
    ("gateway/metrics", "metrics"),
    ("gateway/buffered_metrics", "metrics"),
    ("gateway/request_metrics", "metrics"),
    ("gateway/upstream_metrics", "metrics"),
    ("gateway/counts", "metrics"),
    ("prometheus_client/", "metrics"),
    ("gateway/audit/", "audit"),
    ("servicekit/audit/", "audit"),
    ("gateway/edge/guard", "guard"),
    ("gateway/edge/hosts", "guard"),
    ("gateway/edge/cookies", "guard"),
    ("gateway/edge/origins", "guard"),
    ("gateway/edge/sites", "guard"),
    ("gateway/edge/navigations", "guard"),
    ("gateway/edge/cross_origin", "guard"),
    ("servicekit/http/host_field", "guard"),
    ("gateway/edge/limit", "limits"),
    ("gateway/edge/network_limits", "limits"),
    ("gateway/edge/client_address", "limits"),
    ("gateway/edge/proxy_watch", "limits"),
    ("gateway/session/person_limits", "limits"),
    ("gateway/limiting", "limits"),
    ("servicekit/leaky_buckets", "limits"),
    ("servicekit/http/client_networks", "limits"),
    ("gateway/store/redis/", "Redis"),
    ("redis/", "Redis"),
    ("gateway/store/", "session"),
    ("gateway/session/", "session"),
    ("aiohttp_session/", "session"),
    ("gateway/tokens/", "tokens"),
    ("gateway/proxy/", "upstream"),
    ("gateway/profile/", "upstream"),
    ("servicekit/http_client/", "upstream"),
    ("servicekit/outbound", "upstream"),
    ("servicekit/upstream", "upstream"),
    ("servicekit/streamed_reply", "upstream"),
    ("servicekit/bulkhead", "upstream"),
    ("aiohttp/client", "upstream"),
    ("aiohttp/connector", "upstream"),
    ("aiohttp/tracing", "upstream"),
    ("aiohttp/cookiejar", "upstream"),
    ("gateway/endpoints/", "handler"),
    ("aiohttp/web_response", "answer"),
    ("servicekit/http/answers", "answer"),
    ("servicekit/http/answer_headers", "answer"),
    ("servicekit/http/every_answer", "answer"),
    ("aiohttp/web_app.py", "pipeline"),
    ("aiohttp/web_middlewares", "pipeline"),
    ("aiohttp/web_urldispatcher", "pipeline"),
    ("gateway/", "pipeline"),
    ("aiohttp/web_", SERVER),
    ("servicekit/event_loop", SERVER),
    ("servicekit/http/quiet", SERVER),
    ("servicekit/http/limited", SERVER),
    ("servicekit/http/serv", SERVER),
    ("servicekit/", "pipeline"),
)


def part_of(frame: Frame) -> str | None:
    """Return a function's part, or None for one that works for whoever calls it."""
    return next((part for start, part in FILES if frame.file.startswith(start)), None)


def shares(stacks: Counter[Stack]) -> dict[str, float]:
    """Return what fraction of the samples belongs to each part, the parts in their order."""
    counts: Counter[str] = Counter()
    for stack, count in stacks.items():
        counts[next(filter(None, map(part_of, reversed(stack))), SERVER)] += count
    total = counts.total() or 1
    return {part: counts[part] / total for part in PARTS}
