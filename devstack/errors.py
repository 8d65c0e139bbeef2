"""The ways in which a launch can fail. Owns the exit code; never prints.

Exception
└── LaunchError          one sentence for the person at the console
BaseException
└── StopRequested        the person, or the system, wants the launcher to end
"""


class LaunchError(Exception):
    """Something stands in the way of running; the text is what the person reads, so it says what to do next."""

    def __init__(self, sentence: str, *, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class StopRequested(BaseException):
    """Ctrl-C, SIGTERM or SIGHUP arrived; like KeyboardInterrupt, no `except Exception` may eat it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
