"""Running the gateway: processes, and the operators' side.

Owns how the application is run and what an operator reads of it. Never decides what a person is answered.
"""
