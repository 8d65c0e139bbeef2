"""A doctor's tools: what both services' doctors look at in the same way, and the form of what they find.

Owns the checks of what both services are told; what only one of them has is looked at beside it.
Changes nothing anywhere, and shows no secret.
"""
