"""The session store: sealed, expiring records in Redis, and everything that makes Redis dependable.

Owns sealing, the forms of keys and records, every command, and the connection. Never knows what a record means, but for
`known_good.py`, which keeps the authority's documents.
"""
