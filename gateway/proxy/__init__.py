"""Any team's API behind the gateway: what a row of the upstreams lends it, and what it never gets.

Owns the way of a request to an upstream and back, and what waits while its person confirms. Never reads a row's file
(`gateway/upstream_rows/` does), and never holds a token for longer than a call.
"""
