"""`python -m gateway doctor`: a configuration, checked against everything that it names.

Owns the checks and their explanations. Never changes anything that it looks at.
"""
