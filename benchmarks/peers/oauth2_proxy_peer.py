"""oauth2-proxy, with sessions in Redis; its /oauth2/userinfo says who is signed in.

It comes as a binary from its project, or by `go install`; it is measured where it is on the path.
"""

import base64
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers.installed import NotInstalledError
from benchmarks.peers.peer import CLIENT, SCOPES, SECRET, Around, Peer, Ways, program


@contextmanager
def oauth2_proxy(around: Around) -> Iterator[Peer]:
    """Run it while the block runs."""
    binary = shutil.which("oauth2-proxy")
    if binary is None:
        raise NotInstalledError("no oauth2-proxy on the path: it comes from its project, not from Debian")
    shown = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 -- named above
    secret = base64.urlsafe_b64encode(b"a key of 32 bytes for sessions..").decode()

    def command(_folder: Path, port: int) -> tuple[str, ...]:
        url = f"http://localhost:{port}"
        return (
            str(binary),
            *(f"--http-address=127.0.0.1:{port}", f"--upstream={around.upstream}"),
            *("--provider=oidc", f"--oidc-issuer-url={around.provider}", "--code-challenge-method=S256"),
            *(f"--client-id={CLIENT}", f"--client-secret={SECRET}", f"--scope={SCOPES}"),
            *(f"--redirect-url={url}/oauth2/callback", "--skip-provider-button=true", "--email-domain=*"),
            *(f"--cookie-secret={secret}", "--cookie-secure=false"),
            *("--session-store-type=redis", f"--redis-connection-url={around.redis}"),
            "--pass-authorization-header=true",  # the ID token: of its tokens, the one that goes there
            *("--request-logging=false", "--auth-logging=false", "--standard-logging=false"),
        )

    ways = Ways("/oauth2/start?rd=/oauth2/userinfo", "/oauth2/userinfo", "/api/rows/1")
    told = {"PATH": "/usr/bin:/bin", "GOMAXPROCS": "1"}
    versions = shown.stdout.strip()[:60]
    with program(around, "oauth2-proxy", command, environment=told, ways=ways, versions=versions) as peer:
        yield peer
