"""The form of an idempotency key, as people and programs write it."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.proxy.repeats import idempotency_key, record_of_key
from servicekit.errors import BadRequest


@pytest.mark.parametrize("key", ["k", '"8e03978e-40d5-43e8-bc93-6894a57f9324"', "x" * 255, "!~"])
def test_a_key_is_any_printable_ascii(key: str) -> None:
    headers = CIMultiDictProxy(CIMultiDict({"idempotency-key": key}))
    assert idempotency_key(headers) == key
    assert record_of_key(headers)


@pytest.mark.parametrize("keys", [[""], ["x" * 256], ["a b"], ["\u00fc"], ["a\tb"], ["a", "a"], ["\udcff"]])
def test_a_key_of_any_other_form_is_refused(keys: list[str]) -> None:
    headers = CIMultiDictProxy(CIMultiDict([("Idempotency-Key", key) for key in keys]))
    with pytest.raises(BadRequest, match="Idempotency-Key"):
        idempotency_key(headers)


def test_without_a_key_nothing_is_remembered() -> None:
    headers: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())
    assert (idempotency_key(headers), record_of_key(headers)) == (None, [])
