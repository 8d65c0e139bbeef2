"""`python3 dev.py doctor`: the configuration of local work, examined by the doctors of both services.

Owns which settings they are given, that what they look at is there, and that what is wrong between the two services is
said, of which each doctor knows its own half alone. Of a run that is under way the parts are looked at as they are;
otherwise all but the gateway, which no doctor needs, are started for the time it takes.
Never explains a finding: the services do.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from devstack.console import Console
from devstack.environment import dotenv, is_setting
from devstack.errors import LaunchError
from devstack.halves import Finding, faults_between
from devstack.ports import Ports, free_port, in_use
from devstack.run_command import Layout, RunOptions, ports_of
from devstack.running import note_of_run
from devstack.stack import MODULES, assembled

_TITLES = {"gateway": "gateway", "api": "resource API"}
_UNREADABLE = 2


def examine(environment: Mapping[str, str], layout: Layout, console: Console, *, as_json: bool) -> int:
    """Print what the doctors find; return the worst of their exit statuses: 0, 1 for a fault, 2 for settings."""
    with _environments(environment, layout, console) as environments:
        found = {
            part: _examined(part, environments, layout, as_json=as_json)
            for part in _TITLES
            if part in environments
        }
        everything = {name: value for one in environments.values() for name, value in one.items()}
        between = list(faults_between(everything)) if set(found) == set(_TITLES) else []
    if as_json:
        listed = {MODULES[part]: json.loads(ended.stdout or "[]") for part, ended in found.items()}
        print(json.dumps({**listed, "between": between}, indent=2), flush=True)
    else:
        for part, ended in found.items():
            print(f"── {_TITLES[part]} ──\n{ended.stdout}{ended.stderr}".rstrip() + "\n", flush=True)
        for one in between:
            print(
                f"{one['status']:<8} {one['check']}  {one['detail']}\n{'':<8} fix: {one['fix']}\n", flush=True
            )
    return max(bool(between), *(ended.returncode for ended in found.values()))


@contextmanager
def _environments(
    environment: Mapping[str, str], layout: Layout, console: Console
) -> Iterator[Mapping[str, Mapping[str, str]]]:
    """Give each part's environment, with everything there that it names."""
    workdir = layout.directory / ".local"
    surroundings = {name: value for name, value in environment.items() if not is_setting(name)}
    own = dotenv(layout.directory / ".env") | {
        name: value for name, value in environment.items() if is_setting(name)
    }
    under_way = note_of_run(workdir)
    root = None if layout.importable else layout.packages
    with assembled(
        workdir, own, surroundings, _ports(ports_of(own, RunOptions())), root=root, cwd=layout.directory
    ) as stack:
        programs = {name: part.child.program for name, part in stack.parts.items()}
        if under_way:
            console.say("Looking at the run that is under way …")
            yield {
                name: {k: v for k, v in programs[name].environment.items() if not is_setting(k)} | settings
                for name, settings in under_way.items()
                if name in programs
            }
            return
        needed = [name for name in stack.parts if name != "gateway"]
        if needed:
            console.say(f"Starting {', '.join(needed)} for the time it takes …")
        for name in needed:
            try:
                stack.start(name)
            except LaunchError as problem:  # the doctors say why, and what else there is
                console.say(str(problem).splitlines()[0])
        yield {name: program.environment for name, program in programs.items()}


def _ports(wanted: Ports) -> Ports:
    """Let what is started for a moment make way for whoever has its port; the gateway's is only named."""
    return replace(
        wanted,
        api=free_port() if in_use(wanted.api) else wanted.api,
        tenant=free_port() if in_use(wanted.tenant) else wanted.tenant,
    )


def _examined(
    part: str, environments: Mapping[str, Mapping[str, str]], layout: Layout, *, as_json: bool
) -> "subprocess.CompletedProcess[str]":
    options = ["--json"] if as_json else []
    public_url = environments.get("gateway", {}).get("GATEWAY_PUBLIC_URL", "").rstrip("/")
    if part == "api" and public_url:
        options += ["--redirect-uri", f"{public_url}/auth/callback"]
    return subprocess.run(
        [sys.executable, "-m", MODULES[part], "doctor", *options],
        env=dict(environments[part]),
        cwd=layout.directory,
        capture_output=True,
        text=True,
        check=False,
    )


__all__ = ["Finding", "examine"]
