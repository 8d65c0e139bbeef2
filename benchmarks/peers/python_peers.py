"""Peers that are Python, with uvicorn in environments of their own: Starlette with Authlib, axmp-oidc-bff-provider."""

import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.peers.installed import python_packages
from benchmarks.peers.peer import CLIENT, SCOPES, SECRET, Around, Peer, Ways, program

HERE: Final = Path(__file__).parent


@contextmanager
def starlette(around: Around) -> Iterator[Peer]:
    """Run Starlette with Authlib while the block runs."""
    ways = Ways("/auth/sign-in", "/api/session", "/api/rows/1")
    with _uvicorn(around, "starlette", ways, ("starlette", "authlib")) as peer:
        yield peer


@contextmanager
def axmp(around: Around) -> Iterator[Peer]:
    """Run axmp-oidc-bff-provider while the block runs."""
    ways = Ways("/oauth2/start", "/oauth2/userinfo", "/api/1")
    with _uvicorn(around, "axmp", ways, ("axmp-oidc-bff-provider", "fastapi")) as peer:
        yield peer


@contextmanager
def _uvicorn(around: Around, name: str, ways: Ways, named: Sequence[str]) -> Iterator[Peer]:
    programs = python_packages(name, HERE / name / "requirements.lock")

    def command(_folder: Path, port: int) -> tuple[str, ...]:
        options = ("--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--log-level", "warning")
        return (
            str(programs / "uvicorn"),
            "app:app",
            "--app-dir",
            str(HERE / name),
            *options,
            "--loop",
            "uvloop",
        )

    told = environment(around)
    versions = _versions(programs, named)
    with program(around, name, command, environment=told, ways=ways, versions=versions) as peer:
        yield peer


def environment(around: Around) -> dict[str, str]:
    """Return what a peer's own program is told."""
    return {
        "PATH": "/usr/bin:/bin",
        "ISSUER": around.provider,
        "CLIENT_ID": CLIENT,
        "CLIENT_SECRET": SECRET,
        "SCOPES": SCOPES,
        "REDIS_URL": around.redis,
        "UPSTREAM": around.upstream,
        "SIGNING_KEY": secrets.token_hex(32),
    }


def _versions(programs: Path, named: Sequence[str]) -> str:
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    done = subprocess.run(  # noqa: S603 -- the environment's own Python
        [str(programs / "python"), "-c", code, *named], capture_output=True, text=True, check=True
    )
    return ", ".join(f"{name} {number}" for name, number in zip(named, done.stdout.split(), strict=True))
