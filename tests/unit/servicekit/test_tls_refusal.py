"""Why TLS failed, out of an error of whatever library."""

import ssl

import pytest

from servicekit.tls_refusal import certificate_refusal, refused_by_tls


def verdict(words: str) -> ssl.SSLCertVerificationError:
    """Return OpenSSL's verdict on a certificate."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = words
    return error


def behind(cause: BaseException) -> Exception:
    """Return an error of a library, two errors away from its cause."""
    outer, library = ValueError("another"), ConnectionError("library")
    library.__cause__ = cause
    outer.__context__ = library
    return outer


@pytest.mark.parametrize("wrap", [lambda error: error, behind])
def test_F5_the_verdict_is_found_however_deep_it_lies(wrap: object) -> None:
    assert callable(wrap)
    error = wrap(verdict("certificate has expired."))

    assert certificate_refusal(error) == "certificate has expired"
    assert refused_by_tls(error) == "certificate refused: certificate has expired"


def test_F5_an_error_of_the_kind_without_a_verdict_is_still_a_refusal() -> None:
    assert certificate_refusal(ssl.SSLCertVerificationError("nothing")) == "no reason given"


def test_F5_what_failed_before_there_was_a_certificate_has_openssl_s_name() -> None:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    error.reason = "WRONG_VERSION_NUMBER"

    assert certificate_refusal(error) is None
    assert refused_by_tls(behind(error)) == "TLS failed: wrong version number"
    assert refused_by_tls(ssl.SSLError("nothing")) == "TLS failed: no reason given"


def test_F5_what_is_no_matter_of_tls_is_left_alone() -> None:
    assert refused_by_tls(behind(ConnectionRefusedError(111, "refused"))) is None
