"""HTTP/1.1 to the few servers that a service talks to: connections, exchanges by them, and who uses which one again.

Owns the wire, from a request's bytes to the head and the body of its answer. Reading answers is aiohttp's compiled
parser's work, making connections that of aiohttp's connector; 2026-11-27-our-own-http-client.md of the decisions says
why. Never knows which upstream a server is, what a status means, or what a call may cost.
"""
