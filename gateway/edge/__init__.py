"""The edge: what a request meets before its handler, and what an answer meets after it.

Owns the guard, limits, bodies, and the client's files. Never knows a token.
"""
