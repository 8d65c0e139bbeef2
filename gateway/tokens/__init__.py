"""Tokens: every token that the gateway holds, and the only callers of MSAL's door but for the doctor.

Owns access tokens, their renewal and their records. Never sees a request.
"""
