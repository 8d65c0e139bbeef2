"""In which form a file travels, by what browsers, programs and proxies write into `Accept-Encoding`."""

import pytest

from gateway.edge.accepted_encodings import best_encoding

BOTH = ("br", "gzip")


@pytest.mark.parametrize(
    "header, sent",
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate", "gzip"),
        ("BR;Q=1, GZip", "br"),
        ("br;q=0.1, gzip;q=0.9", "gzip"),
        ("br;q=0.5 , gzip;q=0.5", "br"),
        ("br ;\tq=1.000,gzip", "br"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.000, gzip;q=0", "identity"),
        ("x-gzip", "gzip"),
        ("identity;q=0, gzip;q=0.001", "gzip"),
        ("identity, gzip;q=0.5", "identity"),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("gzip;q=0.5, *;q=0", "gzip"),
        ("*", "gzip"),
        ("*;q=0", "identity"),
        ("*, gzip;q=0", "identity"),
        ("identity;q=0", "identity"),
        ("", "identity"),
        ("zstd, compress, dcb", "identity"),
        ("gzipped, brotli, br2", "identity"),
        ("gzip;q=2, br;q=-1", "identity"),
        ("gzip;q=high", "identity"),
        ("gzip;level=9", "identity"),
        (",, ,gzip,", "gzip"),
        ("gzip, gzip;q=0", "identity"),
        ("gzip gzip", "identity"),
        ('"gzip"', "identity"),
    ],
)
def test_a_file_travels_in_the_best_form_that_is_taken(header: str, sent: str) -> None:
    assert best_encoding([header], BOTH) == sent


def test_a_header_that_comes_in_lines_is_one_header() -> None:
    assert best_encoding(["deflate", "br"], BOTH) == "br"
    assert best_encoding([], BOTH) == "identity"


def test_only_a_form_that_there_is_is_sent() -> None:
    assert best_encoding(["br, gzip"], ("gzip",)) == "gzip"
    assert best_encoding(["br"], ("gzip",)) == "identity"


@pytest.mark.parametrize(
    "text", ["gzip" * 4_000, "," * 16_000, "br;q=0." + "0" * 16_000, "gzip" + " " * 16_000]
)
def test_a_header_without_end_is_no_work(text: str) -> None:
    assert best_encoding([text], BOTH) in {"identity", "gzip"}
