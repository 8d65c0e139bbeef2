"""Flows: leaving for the authority and coming back.

Owns sign-in, sign-up and step-up from end to end, and what the authority says of sessions by itself.
Of an HTTP answer it writes the flow cookie alone.
"""
