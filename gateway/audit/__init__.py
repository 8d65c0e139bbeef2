"""Who did what, from where and how it ended: recorded once for each fact, for auditors and for the person.

Never refuses anything, and never holds what was written: names of fields, no values.
"""
