"""`audit verify FILE…`: the arguments of the command that both services have.

Owns what can be said on the command line. Never does any of it, and imports nothing for it.
"""

import argparse


def add_audit_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `audit verify` to a service's commands."""
    auditing = commands.add_parser("audit", help="look at the audit trail", allow_abbrev=False)
    verifying = auditing.add_subparsers(dest="audit_command", required=True).add_parser(
        "verify",
        help="tell whether a trail is as it was written",
        description="Exit status: 0 when nothing was changed, removed, put in, moved or doubled, as far as that can be "
        "proven; 1 when something was; 2 when it cannot be judged.",
        allow_abbrev=False,
    )
    verifying.add_argument(
        "files", metavar="FILE", nargs="+", help="rotated ones first, oldest first; - is standard input"
    )
    verifying.add_argument("--mixed", action="store_true", help="pass over lines that are no audit lines")
    verifying.add_argument(
        "--lacks-beginning",
        action="store_true",
        help="files before the first one are gone, and are not missed",
    )
