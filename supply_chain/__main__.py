"""`python -m supply_chain`: audit, bill, licences, secrets, images; what is wrong gives another exit status than 0."""

import argparse
import sys
from pathlib import Path
from typing import Final

from supply_chain import audit as audits
from supply_chain.bill import BillFault, bill
from supply_chain.images import ImageFault, images, renew
from supply_chain.licence_page import PAGE, page
from supply_chain.licences import licence_faults, write
from supply_chain.locks import LockFault
from supply_chain.secret_scan import ScanFault, files_of_history, files_of_now, harmless, search

ROOT: Final = Path(__file__).resolve().parents[1]


def _audit(arguments: argparse.Namespace) -> int:
    verdict = audits.audit(ROOT, osv_url=arguments.osv_url, npm=not arguments.python_only)
    print("\n".join(audits.told(verdict)), file=sys.stderr if verdict.status else sys.stdout)
    return verdict.status


def _secrets(arguments: argparse.Namespace) -> int:
    files = [*files_of_now(ROOT)]
    if arguments.history:
        files += files_of_history(ROOT)
    found = search(files, harmless(ROOT))
    for one in found:
        print(one, file=sys.stderr)
    print(f"{len(files)} files were searched, and {len(found) or 'nothing'} found.")
    return 1 if found else 0


def _bill(arguments: argparse.Namespace) -> int:
    text = bill(ROOT)
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        arguments.output.write_text(text, encoding="utf-8")
    return 0


def _licences(arguments: argparse.Namespace) -> int:
    if arguments.write:
        write(ROOT)
        (ROOT / PAGE).write_text(page(ROOT), encoding="utf-8")
    faults = [*licence_faults(ROOT)]
    if (ROOT / PAGE).read_text(encoding="utf-8") != page(ROOT):
        faults.append(f"{PAGE} is of other lock files; --write draws it anew.")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _images(arguments: argparse.Namespace) -> int:
    print("\n".join(renew(ROOT) if arguments.renew else map(str, images(ROOT))))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m supply_chain", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(required=True)
    asking = commands.add_parser(
        "audit", help="ask what is known against the locked packages; 2 where one could not be asked about"
    )
    asking.add_argument("--osv-url", help="another collection of advisories, in OSV's form")
    asking.add_argument(
        "--python-only", action="store_true", help="leave out the tests' packages for Node.js"
    )
    asking.set_defaults(do=_audit)
    billing = commands.add_parser("bill", help="write the bill of materials, CycloneDX 1.6 in JSON")
    billing.add_argument("--output", type=Path, help="the file to write; else to the console")
    billing.set_defaults(do=_bill)
    licensing = commands.add_parser("licences", help="look whether every package has a licence that is taken")
    licensing.add_argument(
        "--write", action="store_true", help="bring the table and its page up to the lock files"
    )
    licensing.set_defaults(do=_licences)
    imaging = commands.add_parser("images", help="name the images that ours are made of")
    imaging.add_argument("--renew", action="store_true", help="write the digests that their tags have today")
    imaging.set_defaults(do=_images)
    searching = commands.add_parser("secrets", help="look for secrets in the files")
    searching.add_argument("--history", action="store_true", help="and in all that the history ever held")
    searching.set_defaults(do=_secrets)
    chosen = parser.parse_args(arguments)
    try:
        status: int = chosen.do(chosen)
    except (BillFault, ImageFault, LockFault, ScanFault) as fault:
        print(fault, file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
