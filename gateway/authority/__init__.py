"""What is asked of the authority, and what it answers: journeys, tokens, challenges.

Owns every token and MSAL's results. Never sees a request or a response.
"""
