"""The edit profile service.

Owns the one write of the product: it checks the bearer token, enforces the scope, and changes `/me` in Microsoft
Graph on behalf of the person.
Never knows a session or a cookie, and never imports the gateway.
"""
