"""What is wrong between the members of a row, between rows, and between rows and other settings.

Owns these sentences. Judges what could be read of each row, so that no fault hides another.
Never shows a secret, and never asks an upstream whether it is there.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from gateway.upstream_rows.file import ReadRow
from gateway.upstream_rows.row import UpstreamRow
from servicekit.setting_sentences import shown
from servicekit.web_address import WebAddress, read_web_address

OWN_READS: Final = frozenset({"/api/profile"})
"""What a row may name as `reads` that no row serves."""
_PORTS: Final = {"http": 80, "https": 443}


def faults_within(read: ReadRow) -> Iterator[str]:
    """Yield what members of one row do not allow each other."""
    row = read.row
    if read.has("target", "allow_http") and not row.allow_http:
        target = read_web_address(row.target)
        if target.scheme == "http" and not target.is_on_loopback:
            yield read.sentence(
                f"target is {shown(row.target)}, which is plain http to another machine: tokens would travel without "
                "encryption. It should be of https, or allow_http = true where nobody can listen on the way."
            )
    if read.has("scope") and row.scope is None:
        given = {"park": row.park, "max_age": row.max_age is not None, "reads": row.reads is not None}
        for member in (name for name, is_given in given.items() if is_given and read.has(name)):
            yield read.sentence(
                f"{member} is set, and scope is not: without a token there is no confirmation to ask for. "
                f"Set scope, or remove {member}."
            )
    elif read.has("reads", "park", "scope") and row.reads is not None and not row.park:
        yield read.sentence(
            "reads is set, and park is not: it is read to show what a parked request will change. "
            "Set park = true, or remove reads."
        )
    if read.has("websocket", "methods") and row.websocket and "GET" not in row.methods:
        yield read.sentence(
            "websocket is true, and methods lacks GET, which is the request that upgrades. "
            'It should be a list with "GET".'
        )


def faults_between(rows: Sequence[ReadRow]) -> Iterator[str]:
    """Yield what rows do not allow each other."""
    for first, second in itertools.combinations(rows, 2):
        yield from _of_two(first, second)
    for read in rows:
        reads = read.row.reads
        if reads is not None and read.has("reads") and not _is_served(reads, rows):
            yield read.sentence(
                f"reads is {shown(reads)}, which no row answers GET below, and neither does the gateway. "
                "It should be a path of a row whose methods have GET, or /api/profile."
            )


def faults_with_settings(rows: Iterable[ReadRow], effective: Mapping[str, str]) -> Iterator[str]:
    """Yield what rows and other settings do not allow each other; `effective` are texts by field name."""
    for read in rows:
        if read.has("target") and _leads_back(read.row.target, effective):
            yield read.sentence(
                f"target is {shown(read.row.target)}, which is this gateway itself: requests would go round in "
                "circles. It should be the address of the API."
            )
        if read.has("scope") and read.row.scope:
            yield from _of_scope(read, read.row.scope, effective)


def _of_two(first: ReadRow, second: ReadRow) -> Iterator[str]:
    one, other = first.row, second.row
    if first.has("name") and second.has("name") and one.name == other.name:
        yield second.sentence(f"name is that of row {first.number}. Each row has a name of its own.")
    if first.has("prefix") and second.has("prefix") and one.prefix.lower() == other.prefix.lower():
        both = [method for method in one.methods if method in other.methods]
        if one.prefix != other.prefix:
            yield second.sentence(
                f"prefix is {shown(other.prefix)}, which differs from that of {first.label} in capitals only. "
                "Write both the same way, or give one another name."
            )
        elif both and first.has("methods") and second.has("methods"):
            yield second.sentence(
                f"prefix is {shown(other.prefix)}, as of {first.label}, and both have {', '.join(both)}. "
                "Rows may share a prefix while their methods differ."
            )
    if first.has("scope") and second.has("scope") and one.scope and other.scope:
        yield from _of_two_scopes(second, other.scope, one.scope, first.label)


def _of_two_scopes(read: ReadRow, scope: str, other: str, whose: str) -> Iterator[str]:
    if scope != other and scope.lower() == other.lower():
        yield read.sentence(
            f"scope is {shown(scope)}, which differs from that of {whose} in capitals only: they are one to the "
            "authority and two to everybody else. Write both the same way."
        )


def _of_scope(read: ReadRow, scope: str, effective: Mapping[str, str]) -> Iterator[str]:
    for name in ("graph_scope", "edit_profile_scope"):
        yield from _of_two_scopes(read, scope, effective.get(name, scope), f"GATEWAY_{name.upper()}")
    if (
        "tenant_subdomain" in effective
        and re.fullmatch(r"[^\s,;/]+", scope)
        and scope != effective.get("graph_scope")
        and not (read.has("target") and _is_of(read.row.target, effective.get("graph_url", "")))
    ):
        yield read.sentence(
            f"scope is {shown(scope)}, a name alone, which Entra takes for one of Microsoft Graph's. It should be the "
            "Application ID URI of the API, a slash, and this name."
        )


def _is_served(path: str, rows: Iterable[ReadRow]) -> bool:
    """Tell whether a path is answered for GET, or might be: by a row whose methods cannot be read."""
    if path in OWN_READS:
        return True
    below = [read for read in rows if read.has("prefix") and _is_below(path, read.row)]
    longest = max((len(read.row.prefix) for read in below), default=0)
    return any(
        "GET" in read.row.methods or not read.has("methods")
        for read in below
        if len(read.row.prefix) == longest
    )


def _is_below(path: str, row: UpstreamRow) -> bool:
    return path == row.prefix or path.startswith(f"{row.prefix}/")


def _leads_back(target: str, effective: Mapping[str, str]) -> bool:
    address = read_web_address(target)
    if _is_of(target, effective.get("public_url", "")):
        return True
    ports = {effective.get("port"), effective.get("admin_port")}
    return address.is_on_loopback and str(address.port or _PORTS[address.scheme]) in ports


def _is_of(target: str, address: str) -> bool:
    """Tell whether two addresses have one origin; what is no address has none."""
    other = _address(address)
    return other is not None and other.origin == read_web_address(target).origin


def _address(text: str) -> WebAddress | None:
    try:
        return read_web_address(text)
    except ValueError:
        return None
