"""`python -m resource_api doctor`: the API's half of a configuration, checked against everything that it names.

Owns the checks that only this service needs; the others are `servicekit.doctor`'s. Changes nothing anywhere.
"""
