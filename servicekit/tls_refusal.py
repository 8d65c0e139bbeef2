"""Why a certificate was not taken, in OpenSSL's own words.

Owns the way from an error of whatever library to the verdict behind it. OpenSSL's words are a fixed list, with at most
the name of the host that was asked for, so they may stand in a log and before an operator.
Never judges a certificate.
"""

import ssl
from collections.abc import Iterator


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what lies behind it, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def certificate_refusal(error: BaseException) -> str | None:
    """Return OpenSSL's reason for refusing the other side's certificate, or None where that is not what happened."""
    found = False
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            found = True
            # aiohttp's own error is of this class too, and has no reason.
            if words := getattr(cause, "verify_message", ""):
                return str(words).rstrip(".")
    return "no reason given" if found else None


def refused_by_tls(error: BaseException) -> str | None:
    """Return a reason for the log where TLS is what failed, or None."""
    if words := certificate_refusal(error):
        return f"certificate refused: {words}"
    failures = [cause for cause in causes(error) if isinstance(cause, ssl.SSLError)]
    reasons = [reason for failure in failures if (reason := getattr(failure, "reason", None))]
    if not failures:
        return None
    return f"TLS failed: {str(reasons[0]).replace('_', ' ').lower() if reasons else 'no reason given'}"
