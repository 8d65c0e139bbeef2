"""`python -m gateway doctor`: a configuration, checked against everything that it names.

Owns the checks and their explanations. Changes nothing but one record in Redis, which it writes and takes away again.
"""
