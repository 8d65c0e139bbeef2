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
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message.rstrip(".") or "no reason given"
    return None


def refused_by_tls(error: BaseException) -> str | None:
    """Return a reason for the log where TLS is what failed, or None."""
    if words := certificate_refusal(error):
        return f"certificate refused: {words}"
    for cause in causes(error):
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {(cause.reason or 'no reason given').replace('_', ' ').lower()}"
    return None
