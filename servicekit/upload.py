"""A request's body that is sent as it comes from somebody else.

Owns the rule whose time it is: the sender's, whom the source waits for, or the receiver's, who has to take what came.
Never reads a body itself, never holds more than one piece, and never bounds a size: its source does.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable

from servicekit.remote_timeout import Patience


class Upload:
    """The pieces of a body, `length` bytes in all where that is known; it is sent once.

    What `source` raises ends the exchange that it is part of, and is its `failure`.
    """

    def __init__(self, source: AsyncIterator[bytes], length: int | None = None) -> None:
        self._source = source
        self.length = length
        self.failure: Exception | None = None
        self.on_failure: Callable[[], None] = lambda: None

    async def pieces(self, limit: Patience) -> AsyncGenerator[bytes, None]:
        """Yield the pieces; `limit` is the time of whoever takes them, and of their answer."""
        limit.hold()
        try:
            async for piece in self._source:
                limit.begin_anew()
                yield piece
                limit.hold()
        except Exception as failure:
            self.failure = failure
            self.on_failure()
            raise
        limit.begin_anew()
