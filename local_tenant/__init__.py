"""A stand-in for Microsoft Entra External ID and Microsoft Graph, for laptops and tests; never for production.

Imports nothing of the product: it is an independent witness, so that a misreading of the protocol
on our side meets a second opinion instead of its own echo.
"""
