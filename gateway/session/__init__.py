"""Sessions: from the browser's cookie to a person, and the ways in which a session ends.

Owns the cookie and what is remembered of a person. Never holds a token.
"""
