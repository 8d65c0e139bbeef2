"""The whole product as processes on this computer: for `python3 dev.py`, and for tests that want the real thing.

Owns the order of starting and stopping and what "ready" means (GET /health/live answers 200; Valkey answers PING).
Knows the parts by name only: valkey, tenant, api, gateway. Blocks while it waits, so an async test calls
`await asyncio.to_thread(stack.restart, "gateway")`.
"""

import http.client
import os
import secrets
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from devstack.embedded_valkey import EmbeddedValkey
from devstack.environment import LocalEnvironment, Settings, is_setting, local_environment, needs_redis
from devstack.errors import LaunchError
from devstack.examples import Example
from devstack.keeper import Keeper
from devstack.local_secrets import load_or_make
from devstack.ports import Ports, free_port, free_ports, in_use
from devstack.processes import Child, Program

ROOT = Path(__file__).resolve().parent.parent
MODULES = {"tenant": "local_tenant", "api": "resource_api", "gateway": "gateway"}
READY_SECONDS = 60.0
# Longer than the gateway's own draining, so that a request in flight is finished and not cut.
STOP_SECONDS = 25.0
_POLL_SECONDS = 0.03
_LAST_WORDS = 15


@dataclass(frozen=True, slots=True)
class Part:
    """One running piece of the product: its process and how to ask whether it is ready."""

    child: Child
    ready: Callable[[], bool]


class Stack:
    """The parts, by name; URLs that are None belong to parts that somebody else runs."""

    def __init__(
        self, parts: Mapping[str, Part], urls: Mapping[str, str], valkey: EmbeddedValkey | None
    ) -> None:
        self.parts = dict(parts)
        # The embedded store, None when the person brings a Redis.
        self.valkey = valkey
        self._urls = dict(urls)

    @property
    def gateway_url(self) -> str:
        """What the browser opens, http://localhost:PORT."""
        return self._urls["gateway"]

    @property
    def admin_url(self) -> str:
        """Where the gateway answers /metrics and tells details of its readiness."""
        return self._urls["admin"]

    @property
    def api_url(self) -> str:
        """The resource API."""
        return self._urls["api"]

    @property
    def tenant_url(self) -> str:
        """The local tenant, http://127.0.0.1:PORT."""
        return self._urls["tenant"]

    @property
    def redis_url(self) -> str:
        """The session store, password included."""
        return self._urls["redis"]

    def start(self, *names: str) -> None:
        """Start parts (all when none is named) and wait until they are ready. Raises LaunchError when one is not."""
        chosen = names or tuple(self.parts)
        for name in chosen:
            self.parts[name].child.start()
        self.wait_until_ready(*chosen)

    def wait_until_ready(self, *names: str) -> None:
        """Wait for parts. Raises LaunchError with the last words of one that ended or stayed silent."""
        deadline = time.monotonic() + READY_SECONDS
        waiting = {name: self.parts[name] for name in names or tuple(self.parts)}
        while waiting:
            for name, part in waiting.items():
                if not part.child.running:
                    raise LaunchError(
                        _epitaph(part.child, f"The {name} {part.child.ending()} while starting")
                    )
                if time.monotonic() > deadline:
                    late = f"The {name} was not ready in {READY_SECONDS:.0f} seconds"
                    raise LaunchError(_epitaph(part.child, late))
            waiting = {name: part for name, part in waiting.items() if not part.ready()}
            time.sleep(_POLL_SECONDS)

    def stop(self, *names: str, grace: float = STOP_SECONDS) -> list[str]:
        """Stop parts (all when none is named), the store last; the names of those that had to be killed come back."""
        chosen = [self.parts[name].child for name in names or tuple(self.parts)]
        first = [child for child in chosen if child.name != "valkey"]
        last = [child for child in chosen if child.name == "valkey"]
        try:
            killed = _stop_together(first, grace) + _stop_together(last, grace)
        except BaseException:  # a second Ctrl-C: no more patience
            for child in chosen:
                child.kill()
            raise
        return killed

    def restart(self, name: str, *, grace: float = STOP_SECONDS) -> None:
        """Stop one part, start it again with the same settings and wait until it is ready."""
        self.stop(name, grace=grace)
        self.start(name)

    def kill(self, name: str) -> None:
        """End one part without warning (SIGKILL)."""
        self.parts[name].child.kill()

    def forget_logs(self) -> None:
        """Begin new log files; not before it is sure that no other run of this working copy writes to them."""
        for part in self.parts.values():
            part.child.program.log_file.unlink(missing_ok=True)

    def log(self, name: str) -> str:
        """Everything that a part has written so far."""
        return self.parts[name].child.log()

    def ended(self) -> list[Child]:
        """List the parts that are not running."""
        return [part.child for part in self.parts.values() if not part.child.running]


@contextmanager
def running_stack(
    workdir: Path,
    *,
    ports: Ports | None = None,
    env_overrides: Mapping[str, str | None] | None = None,
    surroundings: Mapping[str, str] | None = None,
    example: str | None = None,
) -> Iterator[Stack]:
    """Run the product with its local tenant on free ports, stopped again at the end whatever happens.

    Logs and secrets lie in `workdir`. Product settings in the environment and `.env` are not looked at;
    `env_overrides` are laid over the settings of whichever part they belong to, None removes one. `example` is one to
    run with it, by its name.
    """
    around = os.environ if surroundings is None else surroundings
    around = {name: value for name, value in around.items() if not is_setting(name)}
    chosen = ports or free_ports()
    shown = Example(ROOT / "examples" / example, free_port()) if example else None
    with assembled(
        workdir, {}, around, chosen, root=ROOT, cwd=workdir, env_overrides=env_overrides, example=shown
    ) as stack:
        stack.start()
        yield stack


@contextmanager
def assembled(
    workdir: Path,
    own: Mapping[str, str],
    surroundings: Mapping[str, str],
    ports: Ports,
    *,
    root: Path | None,
    cwd: Path,
    env_overrides: Mapping[str, str | None] | None = None,
    example: Example | None = None,
) -> Iterator[Stack]:
    """Make a stack that is not started yet, and is stopped at the end.

    `root` is the directory of the product's packages, None where they are installed. What `example` tells the gateway
    goes before `own`.
    """
    logs = workdir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    valkey = EmbeddedValkey(ports.valkey, secrets.token_urlsafe(24)) if needs_redis(own) else None
    environment = local_environment(
        {**own, **(example.settings(workdir) if example else {})},
        surroundings,
        ports,
        load_or_make(workdir),
        root=root,
        redis_url=None if valkey is None else valkey.url,
    )
    _override(environment.settings, env_overrides or {})
    with closing(Keeper()) as keeper:
        parts: dict[str, Part] = {}
        if valkey is not None:
            parts["valkey"] = Part(Child(valkey.program(surroundings, logs), keeper), valkey.ready)
        for name in environment.parts:
            parts[name] = _part(name, environment, logs, cwd, keeper)
        if example and (
            program := example.program(surroundings, _urls(environment.settings)["tenant"], logs)
        ):
            parts[example.name] = Part(Child(program, keeper), lambda: in_use(example.port))
        stack = Stack(parts, _urls(environment.settings), valkey)
        try:
            yield stack
        finally:
            stack.stop()


def _part(name: str, environment: LocalEnvironment, logs: Path, cwd: Path, keeper: Keeper) -> Part:
    command = (sys.executable, "-m", MODULES[name])
    program = Program(name, command, environment.for_part(name), cwd, logs / f"{name}.log")
    host = urlsplit(_urls(environment.settings)[name]).netloc
    port = int(_port(environment.settings, name))
    tls = environment.settings.get("GATEWAY_TLS_PEM") if name == "gateway" else None
    return Part(Child(program, keeper), lambda: is_live(port, host, tls))


def is_live(port: int, host: str, tls: str | None = None) -> bool:
    """Whether GET /health/live answers 200 on loopback, asked for by the name that the part knows itself by.

    `tls` is the PEM file by which it serves https; nobody asks here whether browsers would trust that.
    """
    connection = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=2, context=_trusting_all())
        if tls
        else http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    )
    try:
        connection.request("GET", "/health/live", headers={"Host": host})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _trusting_all() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _port(settings: Settings, name: str) -> str:
    return settings[
        {"gateway": "GATEWAY_PORT", "api": "RESOURCE_API_PORT", "tenant": "LOCAL_TENANT_PORT"}[name]
    ]


def _urls(settings: Settings) -> dict[str, str]:
    return {
        "gateway": settings["GATEWAY_PUBLIC_URL"].rstrip("/"),
        "admin": f"http://127.0.0.1:{settings['GATEWAY_ADMIN_PORT']}",
        "api": settings["GATEWAY_RESOURCE_API_URL"].rstrip("/"),
        "tenant": settings.get("LOCAL_TENANT_PUBLIC_URL", ""),
        "redis": settings.get("GATEWAY_REDIS_URL", ""),
    }


def _override(settings: Settings, overrides: Mapping[str, str | None]) -> None:
    for name, value in overrides.items():
        if value is None:
            settings.pop(name, None)
        else:
            settings[name] = value


def _stop_together(children: list[Child], grace: float) -> list[str]:
    deadline = time.monotonic() + grace
    for child in children:
        child.terminate()
    return [child.name for child in children if not child.wait(max(0.0, deadline - time.monotonic()))]


def _epitaph(child: Child, sentence: str) -> str:
    words = [line for line in child.log().splitlines() if line.strip()][-_LAST_WORDS:]
    if not words:
        return f"{sentence}, without a word."
    return "\n".join([f"{sentence}. Its last words:", *(f"  {line}" for line in words)])
