"""Redis: from an address to a client whose every command is bounded.

Owns connections, pools, time limits and servers that fail. Never knows a record.
"""
