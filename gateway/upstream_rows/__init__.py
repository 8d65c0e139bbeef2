"""The rows of GATEWAY_UPSTREAMS: which APIs are lent the session, the token and the step-up, and how.

Owns the form of a row, and every sentence that tells of a fault in one. Reads the file when settings are read, and
never asks an upstream anything.
"""

from gateway.upstream_rows.row import LARGEST_BODY, SAFE_METHODS, UpstreamRow

__all__ = ["LARGEST_BODY", "SAFE_METHODS", "UpstreamRow"]
