"""The edge: what a request meets before its handler, and what an answer meets after it.

Owns the guard, limits, bodies, how a problem is shown, and the client's files. Never knows a session or a token.
"""
