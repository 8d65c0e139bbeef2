"""The gateway's world for tests that kill it."""

from tests.gateway.conftest import make_world, signing_keys, world

__all__ = ["make_world", "signing_keys", "world"]
