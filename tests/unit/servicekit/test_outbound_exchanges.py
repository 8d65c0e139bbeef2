"""Whatever a server does, and whoever leaves when: nobody ever gets another one's answer, and no place is lost."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.outbound import Outbound, outbound
from servicekit.outbound_error import OutboundError
from servicekit.upstream import Upstream
from tests.stage.patience import PATIENCE
from tests.stage.raw_upstream import Asked, head, raw_upstream
from tests.stage.trust import ONE_CERTIFICATE

MOST: Final = 3
FRAMINGS: Final = ("length", "chunks", "the end", "HTTP/1.0", "HTTP/1.0 that goes on", "interim")
ENDINGS: Final = ("goes on", "closes", "resets", "says too much", "says half of too much", "says close")


@dataclass(frozen=True)
class Said:
    """What the server answers to one request: how, in how many pieces, cut after how many, and what follows.

    `pause` is how many turns of the loop lie between two pieces; one piece only is the head, and then the body.
    """

    framing: str = "length"
    pieces: int = 1
    pause: int = 1
    cut_after: int | None = None
    ending: str = "goes on"

    def cut_in_pieces(self, whole: bytes) -> list[bytes]:
        """Return an answer as it is sent."""
        if self.pieces == 1:
            end = whole.index(b"\r\n\r\n") + 4
            # A head alone is the whole answer: what follows it comes right with it as well.
            return [part for part in (whole[:end], whole[end:]) if part]
        step = -(-len(whole) // self.pieces)
        return [whole[at : at + step] for at in range(0, len(whole), step)]


@dataclass(frozen=True)
class Call:
    """One request, and after how many turns of the loop its caller leaves."""

    said: Said
    method: str = "GET"
    leaves_after: int | None = None
    reads: str = "whole"


SAID = st.builds(
    Said,
    framing=st.sampled_from(FRAMINGS),
    pieces=st.sampled_from([1, 1, 2, 3]),
    pause=st.integers(0, 9),
    cut_after=st.one_of(st.none(), st.none(), st.integers(0, 3)),
    ending=st.sampled_from(ENDINGS),
)
CALL = st.builds(
    Call,
    said=SAID,
    method=st.sampled_from(["GET", "GET", "POST", "PUT", "HEAD"]),
    leaves_after=st.one_of(st.none(), st.none(), st.integers(0, 12)),
    reads=st.sampled_from(["whole", "sent", "nothing", "a piece"]),
)


def body_of(number: str) -> bytes:
    """Return a body that looks like an answer itself, to whoever begins to read it too early."""
    evil = f"evil of {number}".encode()
    return head(f"Content-Length: {len(evil)}") + evil


def answer_to(number: str, said: Said) -> bytes:
    """Return the bytes of an answer whose body is the number of its request, some times."""
    body = body_of(number)
    match said.framing:
        case "chunks":
            return head("Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\nX-T: 1\r\n\r\n" % (len(body), body)
        case "the end":
            return head("Connection: close") + body
        case "HTTP/1.0":
            return b"HTTP/1.0 200 OK\r\n\r\n" + body
        case "HTTP/1.0 that goes on":
            return (
                b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
        case "interim":
            return head(status=103) + head(f"Content-Length: {len(body)}") + body
    extra = ["Connection: close"] if said.ending == "says close" else []
    return head(f"Content-Length: {len(body)}", *extra) + body


@dataclass
class Server:
    """A server that answers each request as its script says."""

    script: dict[str, Said] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    async def answer(self, asked: Asked) -> None:
        method, target, _ = asked.first_line.split()
        number = target[1:]
        self.seen.append(number)
        said = self.script.get(number, Said())
        whole = answer_to(number, said)
        if method == "HEAD":
            whole = whole[: whole.index(b"\r\n\r\n") + 4] if said.framing != "interim" else head()
        for at, piece in enumerate(said.cut_in_pieces(whole)):
            # What ends an answer comes right with it: of what comes later, nobody could tell whose it is.
            for _ in range(said.pause if at else 0):
                await asyncio.sleep(0)
            if said.cut_after == at:
                asked.writer.close()
                return
            await asked.say(piece)
        ends_so = said.framing in {"the end", "HTTP/1.0"}
        if said.ending == "resets":
            asked.reset()
        elif said.ending in {"closes", "says close"} or ends_so:
            asked.writer.close()
        elif said.ending == "says too much":
            await asked.say(head("Content-Length: 4") + b"evil")
        elif said.ending == "says half of too much":
            await asked.say(b"HTTP/1.1 200 OK\r\nX-Evil: ")


async def made(way: Outbound, url: str, number: str, call: Call) -> bytes | None:
    """Make a call; return what was read of its answer, or None where there was none."""
    try:
        if call.reads == "sent":
            return (await way.send(call.method, f"{url}/{number}", timeout_seconds=PATIENCE)).body
        reply = await way.open(call.method, f"{url}/{number}", fields=(), head_seconds=PATIENCE)
    except OutboundError:
        return None
    try:
        if call.reads == "nothing":
            return b""
        if call.reads == "a piece":
            return await anext(reply.pieces(PATIENCE), b"")
        return await reply.whole(1000, PATIENCE)
    except OutboundError:
        return None
    finally:
        reply.close()


async def callers(way: Outbound, url: str, calls: dict[str, Call]) -> None:
    """Make calls, one right after the other, and judge what came of each."""
    for number, call in calls.items():
        task = asyncio.create_task(made(way, url, number, call))
        if call.leaves_after is not None:
            for _ in range(call.leaves_after):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait({task})
        judge(number, call, None if task.cancelled() else task.result())


async def play(calls: list[Call]) -> None:
    server = Server({str(at): call.said for at, call in enumerate(calls)})
    async with raw_upstream(server.answer) as upstream, outbound(ca_bundle=ONE_CERTIFICATE) as network:
        way = network.to(Upstream("odd", call_seconds=PATIENCE, connections=MOST, open_replies=MOST))
        tasks = [
            asyncio.create_task(
                callers(way, upstream.url, {str(at): calls[at] for at in range(of, len(calls), MOST)})
            )
            for of in range(MOST)
        ]
        for task in tasks:
            await asyncio.wait_for(task, PATIENCE)
        again = [Call(Said()) for _ in range(MOST)]
        bodies = await asyncio.gather(
            *(made(way, upstream.url, f"last-{at}", call) for at, call in enumerate(again))
        )
        assert bodies == [body_of(f"last-{at}") for at in range(MOST)], (
            "a place was lost, or an answer mixed up"
        )
        for at, call in enumerate(calls):
            times = server.seen.count(str(at))
            assert times <= (2 if call.method in {"GET", "HEAD"} else 1)


def judge(number: str, call: Call, body: bytes | None) -> None:
    whole = body_of(number)
    if body is None or call.method == "HEAD":
        assert body in {None, b""}
    elif call.reads in {"whole", "sent"}:
        is_cut = call.said.cut_after is not None
        is_open_ended = call.said.framing in {"the end", "HTTP/1.0"}
        assert body == whole or (is_open_ended and is_cut and whole.startswith(body))
    else:
        assert whole.startswith(body)


@settings(max_examples=60)
@given(calls=st.lists(CALL, min_size=2, max_size=9))
def test_S46_nobody_gets_another_one_s_answer_whoever_leaves_and_however_it_is_cut(calls: list[Call]) -> None:
    asyncio.run(play(calls))
