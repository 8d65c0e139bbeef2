"""Secret keys in settings: read, or refused with a reason that shows none of them."""

import base64

import pytest

from servicekit.secret_keys import read_key


def test_a_key_is_read_with_and_without_padding() -> None:
    key = bytes(range(224, 256))
    text = base64.urlsafe_b64encode(key).decode()

    assert read_key(text) == read_key(text.rstrip("=")) == read_key(f" {text}\n") == key


@pytest.mark.parametrize(
    "text, says",
    [
        pytest.param("", "holds 0 bytes instead of 32", id="empty"),
        pytest.param(
            base64.urlsafe_b64encode(b"k" * 31).decode(), "holds 31 bytes instead of 32", id="short"
        ),
        pytest.param(base64.urlsafe_b64encode(b"k" * 33).decode(), "holds 33 bytes instead of 32", id="long"),
        pytest.param("A", "is not base64url", id="no whole byte"),
        pytest.param("schlüssel" * 5, "is not base64url", id="not ASCII"),
        pytest.param("!" + "A" * 43, "is not base64url", id="a foreign character"),
    ],
)
def test_a_key_that_is_none_is_refused_with_a_reason(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}$"):
        read_key(text)
