"""GATEWAY_UPSTREAMS as a setting: rows, or every fault of every row at once.

Owns the order in which faults are told, and that the rows' own are told with those of all other settings.
Never reads a file by itself: whoever reads the settings again, at SIGHUP, has it read again.
"""

from collections.abc import Iterator, Mapping

from gateway.upstream_rows.between import faults_between, faults_with_settings, faults_within
from gateway.upstream_rows.file import read_file
from servicekit.settings_faults import FaultsWithin


def upstream_rows(value: object) -> object:
    """Return the rows of the file that a text names; raises FaultsWithin. What is no text is left as it is."""
    if not isinstance(value, str):
        return value
    read = read_file(value)
    faults = [*read.faults]
    for row in read.rows:
        faults += faults_within(row)
    faults += faults_between(read.rows)
    if faults:
        raise FaultsWithin(faults)
    return tuple(row.row for row in read.rows)


def faults_of_upstreams(effective: Mapping[str, str]) -> Iterator[str]:
    """Yield what the rows and other settings do not allow each other; `effective` are texts by field name."""
    path = effective.get("upstreams", "")
    if path:
        yield from faults_with_settings(read_file(path).rows, effective)
