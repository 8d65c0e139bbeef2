"""`python3 dev.py`: the product on this computer, until Ctrl-C.

Owns the loop that relays log lines, restarts what has changed and notices what has ended. How parts are started,
stopped and configured is the stack's business.
"""

import time
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from devstack.console import Console, LogFollower
from devstack.environment import Settings, dotenv, for_others, has_real_tenant, is_setting
from devstack.errors import LaunchError, StopRequested
from devstack.examples import example_named
from devstack.https_certificate import https_settings
from devstack.interruption import INTERRUPTED, ignore_all_but_ctrl_c
from devstack.people import people
from devstack.ports import Ports, free_port, in_use, require_free
from devstack.processes import Child
from devstack.running import noted
from devstack.stack import Stack, assembled
from devstack.watch import Watch

_POLL_SECONDS = 0.2
_LOOKS_PER_WATCH = 2
_ADMIN_PORT = 3002
# Who edits the source wants to see it run, and not the last request of the old one.
_RELOAD_GRACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command line's wishes; None where it says nothing."""

    port: int | None = None
    api_port: int | None = None
    tenant_port: int | None = None
    open_browser: bool = False
    reload: bool = False
    https: bool = False
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie."""

    packages: Path
    """The directory that holds the product's packages."""
    directory: Path
    """Where `.env` is read, `.local/` is kept, and the parts run."""
    importable: bool = False
    """Whether the packages are installed, so that the parts find them by themselves."""


def run(options: RunOptions, environment: Mapping[str, str], layout: Layout, console: Console) -> int:
    """Start everything, stay until asked to stop; the exit code comes back.

    0 after Ctrl-C once it was ready, for that is how it is meant to end; 130 when interrupted before.
    Raises LaunchError when something did not start, or ended by itself.
    """
    directory = layout.directory
    own = dotenv(directory / ".env") | {
        name: value for name, value in environment.items() if is_setting(name)
    }
    if reason := for_others(own):
        raise LaunchError(reason)
    if options.https:
        own |= https_settings(directory / ".local", _port(own, "GATEWAY_PORT", options.port, 3000))
    surroundings = {name: value for name, value in environment.items() if not is_setting(name)}
    ports = ports_of(own, options)
    ready = False
    try:
        root = None if layout.importable else layout.packages
        workdir = directory / ".local"
        example = example_named(options.example, layout.packages, own, ports) if options.example else None
        with assembled(workdir, own, surroundings, ports, root=root, cwd=directory, example=example) as stack:
            _check_ports(stack, ports)
            stack.forget_logs()
            # What is saved while the parts start, some have read before and some after: it counts as a change.
            watch = Watch(layout.packages) if options.reload else None
            try:
                console.say(f"Starting {', '.join(stack.parts)} …")
                stack.start()
                ready = True
                loop = _Loop(stack, console, watch)
                _welcome(console, stack, own, layout, options.example)
                if options.open_browser:
                    webbrowser.open(stack.gateway_url)
                environments = {name: part.child.program.environment for name, part in stack.parts.items()}
                with noted(workdir, environments):
                    loop.stay()
            finally:
                ignore_all_but_ctrl_c()
                console.say("Stopping … (Ctrl-C again ends everything at once)")
                for name in stack.stop():
                    console.part(name, "did not stop in time and was killed")
    except StopRequested:
        return 0 if ready else INTERRUPTED


@dataclass(slots=True)
class _Loop:
    stack: Stack
    console: Console
    watch: Watch | None
    followers: dict[str, LogFollower] = field(init=False)
    resting: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        # What the parts warn of while starting is, with the local tenant, that it is no real one.
        chatty = self.console.verbose or not self.stack.tenant_url
        self.followers = {
            name: LogFollower(part.child.program.log_file, from_start=chatty)
            for name, part in self.stack.parts.items()
        }

    def stay(self) -> NoReturn:
        """Look around until an exception ends it."""
        looks = 0
        while True:
            time.sleep(_POLL_SECONDS)
            looks += 1
            self._relay()
            if self.watch is not None and looks % _LOOKS_PER_WATCH == 0:
                self._restart(self.watch)
            for child in self.stack.ended():
                if child.name not in self.resting:
                    self._relay()
                    raise LaunchError(_obituary(child))

    def _relay(self) -> None:
        for name, follower in self.followers.items():
            self.console.relay(name, follower.new_lines())

    def _restart(self, watch: Watch) -> None:
        for name in watch.stale():
            if name not in self.stack.parts:
                continue
            self.console.part(name, "its source has changed; restarting")
            try:
                self.stack.restart(name, grace=_RELOAD_GRACE_SECONDS)
            except LaunchError as problem:  # most likely a typo, soon mended: wait for the next change
                self._relay()
                self.console.part(name, f"{str(problem).splitlines()[0]} Waiting for the next change.")
                self.resting.add(name)
            else:
                self.resting.discard(name)
                self.console.part(name, "ready again")


def _obituary(child: Child) -> str:
    return f"The {child.name} {child.ending()}, so everything is stopped. Its log: {child.program.log_file}"


def ports_of(own: Settings, options: RunOptions) -> Ports:
    """Return where each part listens: as the command line wishes, as a setting says, or where it always does."""
    return Ports(
        gateway=_port(own, "GATEWAY_PORT", options.port, 3000),
        admin=_admin_port(own),
        api=_port(own, "RESOURCE_API_PORT", options.api_port, 3001),
        tenant=_port(own, "LOCAL_TENANT_PORT", options.tenant_port, 8400),
        valkey=free_port(),
    )


def _admin_port(own: Settings) -> int:
    """Choose where the gateway's metrics are; nobody types this address, so it makes way for others."""
    if own.get("GATEWAY_ADMIN_PORT"):
        return _port(own, "GATEWAY_ADMIN_PORT", None, _ADMIN_PORT)
    return free_port() if in_use(_ADMIN_PORT) else _ADMIN_PORT


def _port(own: Settings, name: str, wish: int | None, default: int) -> int:
    if wish is not None:
        return wish
    text = own.get(name, "")
    if text and not (text.isdecimal() and 0 < int(text) <= 65535):  # noqa: PLR2004 -- the highest port there is
        raise LaunchError(
            f"{name} is {text!r}, which is no port number; give one from 1 to 65535, like {default}."
        )
    return int(text or default)


def _check_ports(stack: Stack, ports: Ports) -> None:
    options = {
        "gateway": (ports.gateway, "--port (or GATEWAY_PORT)"),
        "api": (ports.api, "--api-port (or RESOURCE_API_PORT)"),
        "tenant": (ports.tenant, "--tenant-port (or LOCAL_TENANT_PORT)"),
    }
    owners: dict[int, str] = {}
    for name, (port, option) in options.items():
        if name not in stack.parts:
            continue
        if port in owners:
            raise LaunchError(
                f"The {owners[port]} and the {name} can't both have port {port}; change one with {option}."
            )
        owners[port] = name
        require_free(port, name, option)
    require_free(ports.admin, "gateway's admin side", "GATEWAY_ADMIN_PORT")


def _welcome(console: Console, stack: Stack, own: Settings, layout: Layout, example: str | None) -> None:
    console.say()
    console.say("Stepup is ready.")
    console.say()
    console.say(f"  Open      {stack.gateway_url}")
    if "GATEWAY_TLS_PEM" in own:
        console.say(
            "            The browser warns of the certificate, which was made on this computer: go on."
        )
    if has_real_tenant(own):
        console.say(f"  Tenant    {own.get('GATEWAY_TENANT_SUBDOMAIN') or own.get('GATEWAY_AUTHORITY')}")
    else:
        named = own.get("LOCAL_TENANT_CONFIG")
        bundled = layout.packages / "local_tenant" / "local_tenant.toml"
        for number, person in enumerate(people(layout.directory / named if named else bundled)):
            label = "" if number else "People"
            console.say(f"  {label:<9} {person.email:<20} password {person.password}")
        console.say(f"  Codes     {stack.tenant_url}/inbox")
    console.say(f"  API       {stack.api_url}")
    if example:
        console.say(f"  Example   examples/{example}/README.md")
    console.say(f"  Metrics   {stack.admin_url}/metrics")
    console.say("  Logs      .local/logs/")
    console.say()
    console.say("Ctrl-C stops it.")
    console.say()
