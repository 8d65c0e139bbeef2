"""The audit trail of a service: which facts there are, a stream of its own, and the proof that nobody changed it.

Never holds a value that a person wrote, a token or a cookie: callers pass names, slugs and labels.
"""
