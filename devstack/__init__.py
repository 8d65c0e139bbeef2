"""The local launcher behind dev.py: installs, starts, watches and stops the whole product on one computer.

Owns nothing that runs in production, and imports nothing of the product: the parts are programs to it.
Until the environment is installed only the standard library is there, so no module here imports anything else
at its top.
"""
