"""What both services are built from.

Owns the pieces that the gateway and the resource API share: problem details, bearer challenges, token
verification, the MSAL client and its transport.
Never knows a product word (profile, step-up, session) and never imports a service.
"""
