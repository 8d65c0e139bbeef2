"""A held file's forms: each once, the better one later and in a thread, and only where it is smaller."""

import threading
import weakref

import brotli
import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.edge.held_file import LARGEST_HELD, Compressor, HeldFile
from tests.stage.patience import PATIENCE

TEXT = b"export const words = 'the same words again';\n" * 100


def sent(file: HeldFile, takes: str) -> tuple[str, bytes]:
    """Return the coding and the bytes that whoever takes these codings gets."""
    answer = file.answer(make_mocked_request("GET", "/", headers={"Accept-Encoding": takes}))
    assert isinstance(answer.body, bytes)
    return answer.headers.get("Content-Encoding", ""), answer.body


def test_brotli_travels_once_it_is_there_and_gzip_until_then() -> None:
    file = HeldFile(TEXT, "text/javascript")
    assert sent(file, "gzip, br")[0] == "gzip"
    assert sent(file, "br") == ("", TEXT)

    file.compress_better()

    coding, body = sent(file, "gzip, br")
    assert (coding, brotli.decompress(body)) == ("br", TEXT)
    assert sent(file, "gzip")[0] == "gzip"
    assert sent(file, "") == ("", TEXT)


def test_all_forms_have_one_weak_tag() -> None:
    file = HeldFile(TEXT, "text/javascript")
    before = file.answer(make_mocked_request("GET", "/")).headers["ETag"]
    file.compress_better()

    assert before.startswith('W/"')
    for takes in ("br", "gzip", "", "identity;q=0, br"):
        asked = {"Accept-Encoding": takes, "If-None-Match": before}
        again = file.answer(make_mocked_request("GET", "/", headers=asked))
        assert (again.status, again.headers["ETag"], again.headers["Vary"]) == (
            304,
            before,
            "Accept-Encoding",
        )


@pytest.mark.parametrize("content", [b"", b"a", bytes(range(256)), TEXT, bytes(600_000)])
def test_no_more_is_held_than_is_counted(content: bytes) -> None:
    file = HeldFile(content, "text/plain")
    file.compress_better()
    forms = {body for takes in ("br", "gzip") if (found := sent(file, takes))[0] for body in [found[1]]}

    assert len(content) + sum(map(len, forms)) <= len(file)


def test_the_largest_file_is_compressed_better_as_well() -> None:
    file = HeldFile(bytes(LARGEST_HELD), "text/plain")
    file.compress_better()

    assert sent(file, "br")[0] == "br"


def test_what_is_handed_in_while_the_compressor_works_or_rests_is_compressed_as_well() -> None:
    compressor = Compressor()
    done = [threading.Event() for _ in range(40)]

    class Noting(HeldFile):
        """A file that says when it is compressed."""

        def __init__(self, event: threading.Event) -> None:
            super().__init__(TEXT, "text/plain")
            self._event = event

        def compress_better(self) -> None:
            super().compress_better()
            self._event.set()

    files = [Noting(event) for event in done]
    compressor.take()
    for number in range(0, len(done), 2):
        compressor.take(*files[number : number + 2])
        if number % 8 == 0:
            assert done[number].wait(PATIENCE)

    assert all(event.wait(PATIENCE) for event in done)


def test_a_file_that_nobody_holds_any_more_is_not_kept_for_the_compressor() -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(HeldFile):
        """A file that is being compressed until somebody says otherwise."""

        def compress_better(self) -> None:
            begun.set()
            assert go_on.wait(PATIENCE)

    compressor, slow, waiting = Compressor(), Slow(TEXT, "text/plain"), HeldFile(TEXT, "text/plain")
    compressor.take(slow)
    assert begun.wait(PATIENCE)
    kept = weakref.ref(waiting)

    compressor.take(waiting)
    del waiting

    assert kept() is None
    go_on.set()
