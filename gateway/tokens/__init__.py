"""Tokens: every token that the gateway holds, and the only callers of MSAL's door while it serves (the doctor asks too).

Owns access tokens, their renewal and their records. Never sees a request.
"""
