"""HTTP as both services serve it: a table of routes, the bodies of requests, the server, and its end on a signal.

Owns what is the same whatever is served. Never knows a route by name.
"""
