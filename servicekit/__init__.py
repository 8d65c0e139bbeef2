"""What both services are built from.

Owns the pieces that the gateway and the resource API share: settings, logs, problem details, bearer challenges, token
verification, the MSAL client and its transport, calls to other servers, and the HTTP server itself.
Never knows what the product is for (its profile, its sessions), and never imports a service.
"""
