"""Compare the product with other software that signs people in and holds their tokens, in one run on one computer.

Runs whoever can be had here: the bare limit, Stepup, Apache with mod_auth_openidc, Express with
express-openid-connect, Starlette with Authlib, axmp-oidc-bff-provider, nginx with lua-resty-openidc, oauth2-proxy. Each
first shows that it authenticates (`peer.py`). Then each is asked in turns for

- W1, who is signed in: its own session endpoint, or the nearest thing that it has
- W2, a read with the person's token attached: from an nginx that answers whoever brings a bearer token

while it has one core to itself, and wrk, store, provider and API have another.

    python -m benchmarks.peers [--seconds 5] [--turns 3] [--only NAME …] [--json]

Needs wrk and nginx, and two cores. Who can't be had is named with the reason. Packages are installed below .local, and
everything that was started is ended.
"""

import argparse
import datetime as dt
import functools
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

from benchmarks.peers.apache_peer import apache
from benchmarks.peers.bare import bare
from benchmarks.peers.express_peer import express
from benchmarks.peers.installed import NotInstalledError
from benchmarks.peers.lua_peer import lua_resty_openidc
from benchmarks.peers.measured import BARE, Pace, in_turns
from benchmarks.peers.oauth2_proxy_peer import oauth2_proxy
from benchmarks.peers.peer import Around, NotAuthenticatingError, Peer, Run
from benchmarks.peers.python_peers import axmp, starlette
from benchmarks.peers.report import as_json, table
from benchmarks.peers.started import NotStartedError
from benchmarks.peers.stepup import gateway
from benchmarks.peers.surroundings import surroundings
from benchmarks.peers.wrk import MissingProgramError

CORES: Final = 2
PEERS: Final[dict[str, Run]] = {
    BARE: bare,
    "stepup": gateway,
    "stepup-2-workers": functools.partial(gateway, workers=2),
    "oauth2-proxy": oauth2_proxy,
    "lua-resty-openidc": lua_resty_openidc,
    "express": express,
    "starlette": starlette,
    "apache": apache,
    "axmp": axmp,
}


def main() -> int:
    """Run whoever is wanted and can be had, measure, print, and end everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=5, help="how long each load lasts")
    parser.add_argument("--turns", type=int, default=3, help="how often each peer is asked for each work")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS), metavar="NAME")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if (os.cpu_count() or 1) < CORES:
        sys.exit("Two cores are needed: one for whoever is measured, one for everything else.")
    pace = Pace(arguments.seconds, arguments.turns, arguments.connections, core=1)
    missing: dict[str, str] = {}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))  # by way of every `finally`
    try:
        with surroundings(core=0, others=pace.core) as around, ExitStack() as running:
            wanted = {name: PEERS[name] for name in arguments.only}
            peers = all_had(wanted, around, running, missing)
            all_series = in_turns(peers, pace, lambda line: print(line, file=sys.stderr))
    except (MissingProgramError, NotStartedError) as why:
        sys.exit(f"Nothing can be measured here: {why}")
    except KeyboardInterrupt:
        sys.exit("Stopped.")
    shown = as_json if arguments.json else table
    print(shown(all_series, missing, pace, dt.datetime.now(dt.UTC)))
    return 0


def all_had(
    wanted: Mapping[str, Run], around: Around, running: ExitStack, missing: dict[str, str]
) -> dict[str, Peer]:
    """Run peers until `running` ends, and note of others why they can't be had."""
    peers = {}
    for name, run in wanted.items():
        try:
            peers[name] = running.enter_context(run(around))
        except (NotInstalledError, NotStartedError, NotAuthenticatingError) as why:
            missing[name] = " ".join(str(why).split())
    return peers


if __name__ == "__main__":
    sys.exit(main())
