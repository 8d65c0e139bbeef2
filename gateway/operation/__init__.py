"""Running the gateway: processes, the operators' side and metrics.

Owns what an operator sees and does. Never serves a person.
"""
