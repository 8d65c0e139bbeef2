"""Switches of the interpreter and its libraries that lay open what a service for others must keep.

Owns their names and the sentence for each; whether a service is one for others its settings tell.
Never reads the environment: it is handed one. Of the options of the command line only `-X dev` is looked at.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Final

_LOGGED: Final = "writes what the service works on into its log, arguments included"
_SWITCHES: Final = {
    # asyncio, "Debug Mode": what runs long is logged with its arguments, tokens among them.
    "PYTHONASYNCIODEBUG": (_LOGGED, ".+"),
    "PYTHONDEVMODE": (_LOGGED, ".+"),
    # ssl.create_default_context() follows it by itself.
    "SSLKEYLOGFILE": ("writes the keys of every TLS connection into a file", ".+"),
    # The random order of hashes is what keeps made-up names from slowing every dictionary down.
    "PYTHONHASHSEED": ("lets a stranger choose names that slow the service down", "[0-9]+"),
}


def faults_of_debugging(environ: Mapping[str, str], *, dev_mode: bool = sys.flags.dev_mode) -> Iterator[str]:
    """Yield a sentence for each switch that is on in an environment; `dev_mode` is the interpreter's own."""
    if dev_mode and not environ.get("PYTHONDEVMODE"):
        yield f"PYTHONDEVMODE is set by -X dev, which {_LOGGED}. It is for local work only; remove the option."
    for variable, (harm, on) in _SWITCHES.items():
        if re.fullmatch(on, environ.get(variable, ""), re.DOTALL):
            yield f"{variable} is set, which {harm}. It is for local work only; remove it."
