"""Which header fields go through the gateway to an upstream and back, and which never do, whoever lists them.

Owns the lists. What is safe goes through for every row; what is neither safe nor forbidden, for a row that lists it.
Never touches a request: `gateway/proxy/headers.py` applies these lists.

Sources: RFC 9110, sections 7.6.1 (hop by hop) and 8 to 15; RFC 10017, "Proxy Restrictions"; CVE-2025-64484 (underscores
in place of hyphens, which WSGI and CGI servers read as the same name).
"""

import re
from typing import Final

from servicekit.reference import HEADER

_HOP_BY_HOP: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
        *("proxy-authenticate", "proxy-authorization", "proxy-authentication-info", "http2-settings"),
    }
)
# Length and framing are those of the message that is sent, and so are made anew.
_FRAMING: Final = frozenset({"content-length", "expect", "host", "max-forwards"})

SAFE_OUTWARD: Final = frozenset(
    {
        *("accept", "accept-charset", "accept-encoding", "accept-language", "accept-patch", "accept-post"),
        *("content-encoding", "content-language", "content-location", "content-type", "content-disposition"),
        *("if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range"),
        *(
            "content-range",
            "cache-control",
            "pragma",
            "digest",
            "content-digest",
            "repr-digest",
            "content-md5",
        ),
        *("want-content-digest", "want-repr-digest", "want-digest", "prefer", "priority", "idempotency-key"),
        *("last-event-id", "traceparent", "tracestate", "odata-version", "odata-maxversion"),
    }
)
"""What a browser may say to any upstream; `baggage` is left out, because it holds whatever somebody put in."""

SAFE_INWARD: Final = frozenset(
    {
        *("accept-patch", "accept-post", "accept-ranges", "allow", "content-disposition", "content-encoding"),
        *(
            "content-language",
            "content-location",
            "content-range",
            "content-type",
            "content-digest",
            "digest",
        ),
        *(
            "repr-digest",
            "content-md5",
            "deprecation",
            "etag",
            "idempotency-replayed",
            "last-modified",
            "link",
        ),
        *(
            "location",
            "odata-version",
            "preference-applied",
            "ratelimit",
            "ratelimit-limit",
            "ratelimit-policy",
        ),
        *("ratelimit-remaining", "ratelimit-reset", "retry-after", "sunset", "vary", "warning"),
    }
)
"""What any upstream may say to a browser.

`WWW-Authenticate` is none of it: a Bearer challenge is answered by the gateway, and for any other a browser would ask
the person for a password.
"""
SAFE_INWARD_OF_CACHED: Final = frozenset({"age", "cache-control", "expires"})
"""The same of a row with `cache = true`; `Pragma` means nothing in an answer."""

_NEVER_OUTWARD: Final = (
    _HOP_BY_HOP
    | _FRAMING
    | {
        # What the browser has from the gateway, and what says whose page sent the request.
        *("cookie", "cookie2", "authorization", "dpop", "x-csrf", "origin", "referer", HEADER),
        # Who asked, and for what, by the word of whoever wrote it.
        *("forwarded", "via", "client-ip", "true-client-ip", "fastly-client-ip", "x-real-ip", "x-client-ip"),
        *(
            "x-cluster-client-ip",
            "x-remote-ip",
            "x-remote-addr",
            "x-host",
            "x-rewrite-url",
            "x-accel-redirect",
        ),
        # Who somebody is, by the word of a proxy in front of the upstream.
        *("remote-user", "x-remote-user", "x-webauth-user", "ssl-client-cert", "x-client-cert"),
        # Another method than that which the row allows.
        *("x-http-method", "x-http-method-override", "x-method-override"),
    }
)
_NEVER_OUTWARD_BEGINNINGS: Final = (
    *("sec-", "access-control-request-", "x-forwarded-", "x-original-", "x-envoy-", "x-auth-request-"),
    *(
        "x-ms-client-principal",
        "x-ms-token-",
        "x-goog-authenticated-user-",
        "x-amzn-oidc-",
        "cf-",
        "ssl-client-",
    ),
    "proxy-",
)

_NEVER_INWARD: Final = (
    _HOP_BY_HOP
    | _FRAMING
    | {
        *("set-cookie", "set-cookie2", "server", "via", "date", HEADER, "client-request-id", "x-csrf"),
        *("www-authenticate", "authentication-info", "authorization", "cookie"),
        # What is the gateway's to say about its own origin; `gateway/edge/guard.py` says some of it.
        *("content-security-policy", "content-security-policy-report-only", "strict-transport-security"),
        *(
            "x-content-type-options",
            "x-frame-options",
            "x-xss-protection",
            "referrer-policy",
            "feature-policy",
        ),
        *("permissions-policy", "permissions-policy-report-only", "document-policy", "origin-agent-cluster"),
        *(
            "clear-site-data",
            "service-worker-allowed",
            "service-worker-navigation-preload",
            "alt-svc",
            "refresh",
        ),
        *("public-key-pins", "public-key-pins-report-only", "expect-ct", "nel", "report-to", "origin"),
        *(
            "reporting-endpoints",
            "sourcemap",
            "x-sourcemap",
            "timing-allow-origin",
            "accept-ch",
            "critical-ch",
        ),
        *("set-login", "speculation-rules", "supports-loading-mode", "use-as-dictionary", "no-vary-search"),
        *("x-accel-redirect", "x-sendfile", "x-lighttpd-send-file", "x-permitted-cross-domain-policies"),
        *(
            "activate-storage-access",
            "integrity-policy",
            "integrity-policy-report-only",
            "x-dns-prefetch-control",
        ),
    }
)
_NEVER_INWARD_BEGINNINGS: Final = (
    *("access-control-", "cross-origin-", "sec-", "x-accel-", "proxy-", "attribution-reporting-", "observe-"),
)

# RFC 9110, section 5.6.2.
NAME_OF_FIELD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")


def never_goes_out(name: str) -> bool:
    """Tell whether a request's field never reaches an upstream, by a name in any spelling that a server may fold."""
    folded = _folded(name)
    return folded in _NEVER_OUTWARD or folded.startswith(_NEVER_OUTWARD_BEGINNINGS)


def never_comes_in(name: str) -> bool:
    """Tell whether an answer's field never reaches a browser."""
    folded = _folded(name)
    return folded in _NEVER_INWARD or folded.startswith(_NEVER_INWARD_BEGINNINGS)


def is_another_spelling(name: str) -> bool:
    """Tell whether an underscore makes a name of another one that has a meaning of its own here."""
    return "_" in name and _folded(name) in SAFE_OUTWARD | SAFE_INWARD | SAFE_INWARD_OF_CACHED


def is_name(text: str) -> bool:
    """Tell whether a text can be the name of a header field."""
    return NAME_OF_FIELD.fullmatch(text) is not None


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")
