"""The backend-for-frontend gateway.

Owns the session of a person in a browser and every token that belongs to it; serves the single-page client and
the JSON endpoints.
Never lets a token reach the browser. An authorization code and the claims of a step-up pass through it, inside the
authority's answer and the authorization request; no answer of ours has them otherwise.
"""
