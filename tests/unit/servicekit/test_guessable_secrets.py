"""What chance did not make is told; what it made is never refused."""

import base64
import random
import secrets
import string

import pytest

from servicekit.guessable_secrets import alike, guessable_key, guessable_password

# What the rules cost of randomness is worked out in their module.
CHANCE = random.Random(20_261_126)  # noqa: S311 - data, and the same each time
HOW_MANY = 20_000


@pytest.mark.parametrize(
    "key, says",
    [
        pytest.param(bytes(32), "is one byte, again and again", id="zeros"),
        pytest.param(b"\xff" * 32, "is one byte, again and again", id="ones"),
        pytest.param(b"k" * 32, "is one byte, again and again", id="a letter"),
        pytest.param(bytes(range(32)), "counts", id="counting up"),
        pytest.param(bytes(range(255, 223, -1)), "counts", id="counting down"),
        pytest.param(bytes(7 * n % 256 for n in range(32)), "counts", id="counting by seven"),
        pytest.param(b"\x00\x01" * 16, "repeats a part of itself", id="two bytes"),
        pytest.param(bytes.fromhex("deadbeef") * 8, "repeats a part of itself", id="deadbeef"),
        pytest.param(CHANCE.randbytes(16) * 2, "repeats a part of itself", id="one half twice"),
        pytest.param(
            b"0123456789abcdef0123456789abcdef", "repeats a part of itself", id="hexadecimal digits"
        ),
        pytest.param(b"changeme".ljust(32, b"\0"), "is text", id="a word filled up"),
        pytest.param(b"correct horse battery staple".ljust(32, b"\0"), "is text", id="words filled up"),
        pytest.param(b"this-is-a-32-byte-long-secret!!!", "is text", id="a sentence"),
        pytest.param("geheim für die Müller-Straße".encode().ljust(32, b"."), "is text", id="German"),
        pytest.param(b"1f3870be274f6c49b3e31a0c6728957f", "is text", id="a digest in digits"),
        pytest.param(b"changemechangeme\xff\xfe".ljust(32, b"\0"), "few different bytes", id="mostly zeros"),
        pytest.param("changeme-please!".encode("utf-16-le"), "few different bytes", id="UTF-16"),
        pytest.param(bytes(20) + CHANCE.randbytes(12), "", id="twelve random bytes"),
    ],
)
def test_A8_S33_a_key_that_chance_did_not_make_is_told(key: bytes, says: str) -> None:
    assert len(key) == 32
    assert says in str(guessable_key(key))
    assert guessable_key(key) is not None


def test_A8_S33_a_key_that_chance_made_is_never_refused() -> None:
    assert [key.hex() for key in (CHANCE.randbytes(32) for _ in range(HOW_MANY)) if guessable_key(key)] == []
    assert guessable_key(secrets.token_bytes(32)) is None


@pytest.mark.parametrize(
    "first, second, says",
    [
        (b"a" * 32, b"a" * 32, "has one key twice, as number 1 and number 3"),
        (b"a" * 16 + b"b" * 16, b"a" * 16 + b"c" * 16, "number 1 and number 3, that share a half"),
        (b"b" * 16 + b"a" * 16, b"c" * 16 + b"a" * 16, "number 1 and number 3, that share a half"),
    ],
)
def test_A8_S33_keys_of_one_ring_are_different_ones(first: bytes, second: bytes, says: str) -> None:
    between = secrets.token_bytes(32)

    assert says in str(alike([first, between, second]))
    assert alike([first, between]) is None


@pytest.mark.parametrize(
    "password",
    [
        *("changeme", "changeme123", "ChangeMe!", "secret", "password", "Passw0rd!", "P4ssw0rd123", "redis"),
        *(
            "foobared",
            "your-client-secret",
            "client_secret",
            "my-client-secret",
            "test-secret-for-dev",
            "xxx",
        ),
        *(
            "local-stand-in-gateway-secret",
            "local-stand-in-api-secret",
            "MySuperSecretPassword2026!",
            "placeholder",
        ),
        *(
            "example-secret-value",
            "todo",
            "00000000",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "12345678",
            "qwertyuiop",
        ),
        *(
            "asdfghjkl",
            "abcdefghijklmnopqrstuvwxyz",
            "zyxwvutsrqponmlkjihg",
            "1234567890123456",
            "qwerty123456",
        ),
        *("P@ss-w0rdP@ss-w0rd", "s3cr3t.s3cr3t.", "admin:admin", "THIS_IS_SECRET"),
    ],
)
def test_A8_S38_a_password_that_everybody_knows_is_told(password: str) -> None:
    assert guessable_password(password) is not None


@pytest.mark.parametrize("length", [16, 20, 32, 40])
def test_A8_S38_a_password_that_chance_made_is_never_refused(length: int) -> None:
    alphabets = (
        string.hexdigits.lower()[:16],
        string.ascii_letters + string.digits,
        string.ascii_letters + "0123456789-_.~",
    )
    refused = [
        text
        for alphabet in alphabets
        for text in ("".join(CHANCE.choices(alphabet, k=length)) for _ in range(HOW_MANY // 8))
        if guessable_password(text)
    ]

    assert refused == []


@pytest.mark.parametrize(
    "password",
    [
        # Of Entra's form, of Keycloak's, of Auth0's, and of people who take a sentence.
        "Abc8Q~" + base64.urlsafe_b64encode(CHANCE.randbytes(25)).decode().rstrip("="),
        "".join(CHANCE.choices(string.ascii_letters + string.digits, k=32)),
        CHANCE.randbytes(32).hex(),
        "correct horse battery staple",
        "a-secret-that-nobody-may-see",
    ],
)
def test_A8_S38_what_authorities_and_people_make_is_taken(password: str) -> None:
    assert guessable_password(password) is None
