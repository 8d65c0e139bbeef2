"""Whether the tests of a module notice a fault in it: small faults are made, one at a time, and its tests run.

    python -m benchmarks.mutation [MODULE[:FIRST-LAST] ...]

A module is named by its path, perhaps with the lines whose faults are of interest; all of TESTS without any. Everything
happens in a copy of the working copy. A mutant is killed by the first test that fails, and survives when none does; one
that takes much longer than the tests do without it counts as killed, and is listed. Ends with 1 where fewer than
95 in a hundred are killed, or where one survives that `judged.toml` does not name.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.mutation.judged import judgement_of, judgements
from benchmarks.mutation.laboratory import Fate, Laboratory
from benchmarks.mutation.mutants import Mutant, mutants_of

ROOT: Final = Path(__file__).resolve().parents[2]
ENOUGH: Final = 0.95
_EDGE: Final = "tests/unit/gateway/edge"
_STORE: Final = "tests/unit/gateway/store"
_SESSION: Final = "tests/unit/gateway/session"
_FLOWS: Final = "tests/unit/gateway/flows"
_TOKENS: Final = "tests/unit/gateway/tokens"
_PROXY: Final = "tests/unit/gateway/proxy"
_API: Final = "tests/unit/resource_api"
_KIT: Final = "tests/unit/servicekit"
# The tests that concern a module: of the unit tier, where one file mirrors one module.
TESTS: Final[dict[str, tuple[str, ...]]] = {
    "gateway/store/sealing.py": (f"{_STORE}/test_sealing.py", f"{_STORE}/test_packing.py"),
    "gateway/store/fields.py": (f"{_STORE}/test_fields.py",),
    "gateway/store/redis/shared_connection.py": (
        f"{_STORE}/redis/test_shared_connection.py",
        f"{_STORE}/redis/test_shared_makings.py",
        f"{_STORE}/redis/test_shared_crowds.py",
        f"{_STORE}/redis/test_reads.py",
    ),
    "gateway/session/sessions.py": (
        f"{_SESSION}/test_sessions.py",
        f"{_SESSION}/test_session_ends.py",
        f"{_SESSION}/test_records_in_time.py",
        f"{_SESSION}/test_session_lifetimes.py",
        f"{_SESSION}/test_session_limit.py",
        f"{_SESSION}/test_session_origin.py",
        f"{_SESSION}/test_session_requests.py",
        f"{_SESSION}/test_reopened_sessions.py",
    ),
    "gateway/session/kept_sessions.py": (
        f"{_SESSION}/test_kept_sessions.py",
        f"{_SESSION}/test_reopened_sessions.py",
    ),
    "gateway/session/indexed_sessions.py": (
        f"{_SESSION}/test_indexed_sessions.py",
        f"{_SESSION}/test_session_ends.py",
    ),
    "gateway/session/user_session.py": (
        f"{_SESSION}/test_user_session.py",
        f"{_SESSION}/test_sessions.py",
        f"{_SESSION}/test_session_ends.py",
        f"{_SESSION}/test_records_in_time.py",
        f"{_SESSION}/test_session_lifetimes.py",
        f"{_SESSION}/test_session_limit.py",
        f"{_SESSION}/test_session_origin.py",
        f"{_SESSION}/test_session_requests.py",
        f"{_SESSION}/test_reopened_sessions.py",
    ),
    "gateway/session/records.py": (f"{_SESSION}/test_records.py", f"{_SESSION}/test_records_in_time.py"),
    "gateway/session/opened_records.py": (
        f"{_SESSION}/test_opened_records.py",
        f"{_SESSION}/test_own_writes.py",
        f"{_SESSION}/test_reopened_sessions.py",
        f"{_SESSION}/test_user_session.py",
    ),
    "gateway/session/cookie.py": (f"{_SESSION}/test_cookie.py", f"{_SESSION}/test_cookies_in_vain.py"),
    "gateway/edge/cookies.py": (f"{_EDGE}/test_cookies.py",),
    "gateway/edge/guard.py": (
        f"{_EDGE}/test_rows.py",
        f"{_EDGE}/test_guard.py",
        f"{_EDGE}/test_hosts.py",
        f"{_EDGE}/test_security_headers.py",
    ),
    "gateway/edge/answer_headers.py": (f"{_EDGE}/test_security_headers.py",),
    "servicekit/http/every_answer.py": (
        f"{_KIT}/http/test_every_answer.py",
        f"{_EDGE}/test_security_headers.py",
    ),
    "gateway/edge/hosts.py": (f"{_EDGE}/test_hosts.py",),
    "gateway/flows/after_sign_out.py": (f"{_FLOWS}/test_after_sign_out.py",),
    "gateway/flows/return_address.py": (f"{_FLOWS}/test_return_address.py",),
    "gateway/flows/arrivals.py": (f"{_FLOWS}/test_arrivals.py",),
    "gateway/flows/authorization_response.py": (f"{_FLOWS}/test_authorization_response.py",),
    "gateway/flows/end_session.py": (f"{_FLOWS}/test_end_session.py", f"{_FLOWS}/test_end_session_form.py"),
    "gateway/flows/flow.py": (
        f"{_FLOWS}/test_flow.py",
        f"{_FLOWS}/test_flow_step_up.py",
        f"{_FLOWS}/test_flow_of_rows.py",
    ),
    "gateway/flows/flow_record.py": (
        f"{_FLOWS}/test_flow_record.py",
        f"{_FLOWS}/test_flow_answers.py",
        f"{_FLOWS}/test_flow_cookies.py",
        f"{_FLOWS}/test_flow_limits.py",
    ),
    "gateway/flows/login_hint.py": (f"{_FLOWS}/test_login_hint.py",),
    "gateway/flows/logout.py": (f"{_FLOWS}/test_logout.py", f"{_FLOWS}/test_logout_cookies.py"),
    "gateway/flows/logout_token.py": (f"{_FLOWS}/test_logout_token.py",),
    "gateway/flows/session_start.py": (f"{_FLOWS}/test_session_start.py", f"{_FLOWS}/test_grant_goes_on.py"),
    "gateway/flows/access_rules.py": (f"{_FLOWS}/test_access_rules.py",),
    "gateway/flows/confirmations.py": (f"{_FLOWS}/test_confirmations.py",),
    "gateway/flows/step_up.py": (
        f"{_FLOWS}/test_step_up.py",
        f"{_FLOWS}/test_access_until.py",
        f"{_FLOWS}/test_access_of_rows.py",
        f"{_FLOWS}/test_step_ups_of_rows.py",
    ),
    "gateway/edge/client_address.py": (f"{_EDGE}/test_client_address.py",),
    "gateway/edge/limits.py": (f"{_EDGE}/test_limits.py", f"{_EDGE}/test_limits_shared.py"),
    "gateway/edge/limit_rules.py": (
        f"{_EDGE}/test_limit_rules.py",
        f"{_EDGE}/test_limits.py",
        f"{_EDGE}/test_limits_shared.py",
    ),
    "gateway/edge/limit_reports.py": (f"{_EDGE}/test_limit_reports.py", f"{_EDGE}/test_limits.py"),
    "gateway/proxy/paths.py": (f"{_PROXY}/test_paths.py",),
    "gateway/proxy/headers.py": (f"{_PROXY}/test_headers.py",),
    "gateway/proxy/led_addresses.py": (f"{_PROXY}/test_led_addresses.py",),
    "servicekit/leaky_buckets.py": (f"{_KIT}/test_leaky_buckets.py",),
    "gateway/tokens/id_token.py": (f"{_TOKENS}/test_id_token.py", f"{_TOKENS}/test_renewed_id_token.py"),
    "gateway/tokens/access_token.py": (f"{_TOKENS}/test_access_token.py",),
    "resource_api/access.py": (
        f"{_API}/test_access_policy.py",
        f"{_API}/test_access.py",
        f"{_API}/test_bad_tokens.py",
        f"{_API}/test_bearer.py",
    ),
    "servicekit/strict_json.py": (f"{_KIT}/test_strict_json.py",),
    "servicekit/claim_forms.py": (
        f"{_KIT}/test_claim_forms.py",
        f"{_KIT}/test_jwt_claims.py",
        f"{_KIT}/test_claim_checks.py",
    ),
    "servicekit/jwt_claims.py": (f"{_KIT}/test_jwt_claims.py", f"{_KIT}/test_claim_checks.py"),
    "servicekit/jwt_form.py": (f"{_KIT}/test_jwt_form.py", f"{_KIT}/test_token_rejected.py"),
    "servicekit/jwt_signatures.py": (f"{_KIT}/test_jwt_signatures.py", f"{_KIT}/test_key_sets.py"),
    "resource_api/proven_signatures.py": (f"{_API}/test_proven_signatures.py",),
    "servicekit/signing_keys.py": (
        f"{_KIT}/test_signing_keys.py",
        f"{_KIT}/test_jwt_verifier.py",
        f"{_KIT}/test_key_sets.py",
    ),
    "servicekit/jwt_verifier.py": (
        f"{_KIT}/test_verifier_order.py",
        f"{_KIT}/test_jwt_verifier.py",
        f"{_KIT}/test_jwt_form.py",
        f"{_KIT}/test_jwt_claims.py",
        f"{_KIT}/test_key_sets.py",
    ),
}


@dataclass
class Figures:
    """What became of one module's mutants."""

    module: str
    fates: list[tuple[Mutant, Fate]] = field(default_factory=list)
    not_judged: int = 0

    def having(self, fate: Fate) -> int:
        """Return how many had this fate."""
        return sum(1 for _, one in self.fates if one is fate)

    @property
    def is_enough(self) -> bool:
        """Whether enough were killed, and each that survived was judged; one may survive in a small module."""
        survived = self.having(Fate.SURVIVED)
        return not self.not_judged and survived <= max(1, (1 - ENOUGH) * len(self.fates))

    def add(self, mutant: Mutant, fate: Fate) -> None:
        """Count one, and say which it is unless it was killed."""
        self.fates.append((mutant, fate))
        if fate is Fate.KILLED:
            return
        told = f"{self.module}:{mutant.line} {fate.value}: {mutant.before}  →  {mutant.after}"
        if fate is Fate.SURVIVED:
            judgement = judgement_of(self.module, mutant, judgements())
            self.not_judged += judgement is None
            told += f"  ({judgement.why if judgement else 'NOT JUDGED, in ' + repr(mutant.function)})"
        print(told, flush=True)


def examined(module: str, lines: range) -> Figures:
    """Return what became of the module's mutants on `lines`."""
    figures = Figures(module)
    source = (ROOT / module).read_text(encoding="utf-8")
    mutants = [mutant for mutant in mutants_of(source) if mutant.line in lines]
    with Laboratory.of(ROOT, module, TESTS[module]) as laboratory:
        for mutant, fate in laboratory.fates(mutants):
            figures.add(mutant, fate)
    return figures


def asked_for(names: Sequence[str]) -> Iterator[tuple[str, range]]:
    """Return modules with the lines of interest."""
    for name in names or TESTS:
        module, _, lines = name.partition(":")
        if module not in TESTS:
            raise SystemExit(f"{module} is none of {', '.join(TESTS)}")
        first, _, last = lines.partition("-")
        yield module, range(int(first or 0), int(last or first or 10_000) + 1)


def main(arguments: Sequence[str]) -> int:
    """Examine modules, print the figures, return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("module", nargs="*")
    wanted = list(asked_for(parser.parse_args(arguments).module))
    all_figures = [examined(module, lines) for module, lines in wanted]
    print(f"\n{'module':44}{'mutants':>9}{'killed':>9}{'survived':>10}{'time-outs':>11}")
    for one in all_figures:
        counts = [one.having(fate) for fate in (Fate.KILLED, Fate.SURVIVED, Fate.OUT_OF_TIME)]
        row = f"{one.module:44}{len(one.fates):9}{counts[0]:9}{counts[1]:10}{counts[2]:11}"
        print(row if one.is_enough else f"{row}  too few killed, or some not judged")
    return 0 if all(one.is_enough for one in all_figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
