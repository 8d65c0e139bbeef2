"""The product's one story: a profile that is read from Graph and edited through the resource API.

Owns fields, edits and their parking. Never holds a token for longer than a call.
"""
