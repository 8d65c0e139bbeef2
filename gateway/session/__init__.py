"""Sessions: from the browser's cookie to a person, and the ways in which a session ends.

Owns the cookie, what is remembered of a person, and the records of a session.
Never knows what a record means: tokens, for one, are records that `tokens/` declares.
"""
