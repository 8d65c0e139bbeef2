"""The backend-for-frontend gateway.

Owns the session of a person in a browser and every token that belongs to it; serves the single-page client and
the JSON endpoints.
Never lets a token, code or claim challenge reach the browser.
"""
