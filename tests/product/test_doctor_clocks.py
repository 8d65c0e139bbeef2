"""The doctor compares this machine's clock with that of Redis, by which sessions live."""

import time

from devstack.embedded_valkey import EmbeddedValkey
from gateway.doctor.redis_server import CLOCK, look_at_redis
from servicekit.doctor.findings import Finding, Status
from tests.stage.world import gateway_settings


async def test_L2_a_clock_that_differs_from_that_of_redis_is_told(
    valkey: str, valkey_server: EmbeddedValkey
) -> None:
    async def clock(url: str, ahead: float) -> Finding:
        findings = await look_at_redis(gateway_settings(REDIS_URL=url), now=lambda: time.time() + ahead)
        (finding,) = [one for one in findings if one.check == CLOCK]
        return finding

    for seconds, status, said in (
        (1900, Status.WARNING, "1900 s ahead of that of Redis"),
        (-1900, Status.WARNING, "1900 s behind that of Redis"),
        (30, Status.OK, "30 s apart"),
    ):
        finding = await clock(valkey, seconds)
        assert (finding.status, said in finding.detail) == (status, True), finding

    rights = ("on", ">pw", "~stepup:*", "-@all", "+ping", "+getdel", "+set", "+hmget", "+eval", "+evalsha")
    valkey_server.command("ACL", "SETUSER", "few", *rights)
    try:
        finding = await clock(f"redis://few:pw@127.0.0.1:{valkey_server.port}", 0)
    finally:
        valkey_server.command("ACL", "DELUSER", "few")
    assert (finding.status, "may not ask for the time" in finding.detail) == (Status.WARNING, True)
    assert "Least rights" in (finding.fix or "")
