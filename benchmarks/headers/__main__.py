"""What MDN's HTTP Observatory and Google's CSP Evaluator say of the gateway's headers.

A gateway is started as in production, behind https and a name of its own, and its first page is looked at. Node.js and
the packages of package-lock.json here are installed where they are not there yet.

    python -m benchmarks.headers

Ends with 1 where the Observatory gives less than 130 points, or the evaluator finds more than a "medium, maybe".
"""

import base64
import contextlib
import datetime as dt
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from devstack.https_certificate import load_or_make
from devstack.stack import is_live
from tests.stage.npm_packages import NotToBeHadError, node_wheel, node_with_packages
from tests.stage.ports import free_port

HERE: Final = Path(__file__).parent
HOST: Final = "profile.example.com"
ENOUGH: Final = 130
"""Points; from 100 on it is an A+."""
MEDIUM_MAYBE: Final = 50
"""The evaluator's severities are numbers, and the lower one is the worse."""
_START_SECONDS: Final = 20.0


@contextlib.contextmanager
def gateway(folder: Path) -> Iterator[tuple[str, Path]]:
    """Run a gateway that is set up as in production; yield its host with the port, and the file to trust it by."""
    port = free_port()
    certificate = load_or_make(folder / "host.pem", dt.datetime.now(dt.UTC), HOST)
    public = f"{HOST}:{port}"
    settings = {
        "GATEWAY_PUBLIC_URL": f"https://{public}",
        "GATEWAY_PORT": str(port),
        "GATEWAY_ADMIN_PORT": str(free_port()),
        "GATEWAY_TLS_PEM": str(certificate),
        "GATEWAY_TENANT_SUBDOMAIN": "example",
        "GATEWAY_TENANT_ID": "3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10",
        "GATEWAY_CLIENT_ID": "0b9c7e64-2f1d-4a83-8e55-c1a4d0f6b7e2",
        "GATEWAY_CLIENT_SECRET": secrets.token_urlsafe(30),
        "GATEWAY_EDIT_PROFILE_SCOPE": "api://a7d1f3c2-6b48-4e9f-b0c5-93e82d14f6a8/EditProfileService.ReadWrite",
        "GATEWAY_RESOURCE_API_URL": "https://api.example.com",
        "GATEWAY_REDIS_URL": f"redis://:{secrets.token_urlsafe(30)}@127.0.0.1:{free_port()}",
        "GATEWAY_SEALING_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    # Redis, the authority and the API are not there: the first page needs none of them.
    with subprocess.Popen(
        [sys.executable, "-m", "gateway"], env=environment | settings, stderr=subprocess.DEVNULL
    ) as process:
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not is_live(port, public, str(certificate)):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit("The gateway did not start.")
                time.sleep(0.1)
            yield public, certificate
        finally:
            process.terminate()


def judged(node: str, address: str, trusted: Path) -> dict[str, Any]:
    """Return what the two say of an address."""
    done = subprocess.run(  # noqa: S603 -- the judge, of whom we name the address
        [node, str(HERE / "judge.mjs"), address],
        env={**os.environ, "NODE_EXTRA_CA_CERTS": str(trusted)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        sys.exit(f"The judges could not look: {done.stderr.strip()[-500:]}")
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict


def main() -> int:
    """Print the verdict, and return whether it is not good enough."""
    try:
        node = node_with_packages(HERE, wheel=node_wheel())
    except NotToBeHadError as why:
        sys.exit(f"The judges can't be had: {why}")
    with tempfile.TemporaryDirectory() as folder, gateway(Path(folder)) as (address, trusted):
        verdict = judged(node, address, trusted)
    print(f"HTTP Observatory: {verdict['grade']}, {verdict['score']} points")
    for test in verdict["tests"]:
        print(
            f"  {'passed' if test['pass'] else 'FAILED'} {test['points']:+4} {test['name']}: {test['result']}"
        )
    print(f"CSP Evaluator, of: {verdict['policy']}")
    for finding in verdict["findings"]:
        print(
            f"  {finding['grade']}: {finding['directive']} {finding['value'] or ''}: {finding['description']}"
        )
    worst = min((finding["severity"] for finding in verdict["findings"]), default=MEDIUM_MAYBE)
    return int(
        verdict["score"] < ENOUGH or worst < MEDIUM_MAYBE or not all(t["pass"] for t in verdict["tests"])
    )


if __name__ == "__main__":
    sys.exit(main())
