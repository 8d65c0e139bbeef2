from collections import Counter

from benchmarks.flames.parts import PARTS, shares
from benchmarks.flames.picture import drawn
from benchmarks.flames.stacks import Frame, from_where_they_part, of_the_main_thread, read, tree

GUARD = (
    "main (app.py:1);Guard.judge (gateway/edge/guard.py:9);findall (/usr/lib/python3.11/re/__init__.py:2) 3"
)
HANDLER = "main (app.py:1);session (gateway/endpoints/session.py:7) 1"
THREAD = "Thread._bootstrap (threading.py:1);wait (threading.py:3) 9"


def test_stacks_are_read_without_lines_and_from_their_packages_on() -> None:
    stacks = read([GUARD, GUARD.replace(":9", ":10"), ""])

    frames = (Frame("main", "app.py"), Frame("Guard.judge", "gateway/edge/guard.py"))
    assert stacks == {(*frames, Frame("findall", "re/__init__.py")): 6}


def test_a_frame_without_a_file_is_called_by_its_text() -> None:
    assert Frame.read("epoll_wait") == Frame("epoll_wait", "")


def test_what_other_threads_do_is_left_out() -> None:
    assert of_the_main_thread(read([HANDLER, THREAD])) == read([HANDLER])


def test_what_all_stacks_begin_with_is_said_once() -> None:
    shorter = from_where_they_part(read([f"run (a.py);{GUARD}", f"run (a.py);{HANDLER}"]))

    assert {stack[0].name for stack in shorter} == {"main"}


def test_a_tree_counts_what_was_under_way() -> None:
    (main,) = tree(read([GUARD, HANDLER])).callees.values()

    assert (main.count, sorted(node.count for node in main.callees.values())) == (4, [1, 3])


def test_what_a_library_does_for_the_guard_is_the_guards() -> None:
    parts = shares(read([GUARD, HANDLER]))

    assert {part: share for part, share in parts.items() if share} == {"guard": 0.75, "handler": 0.25}
    assert list(parts) == list(PARTS)


def test_what_nobody_claims_is_the_servers() -> None:
    assert shares(read(["main (app.py);select (selectors.py) 2"]))["server"] == 1


def test_a_picture_is_the_same_for_the_same_samples_and_carries_foreign_names_as_text() -> None:
    stacks = read([GUARD, HANDLER, "main (app.py);<lambda> (gateway/app.py) 4"])

    picture = drawn(stacks, "a < b")

    assert picture == drawn(Counter(dict(reversed(stacks.items()))), "a < b")
    assert "&lt;lambda&gt; (gateway/app.py) 50.0 %" in picture
    assert "<lambda>" not in picture


def test_what_is_too_narrow_to_see_is_left_out() -> None:
    picture = drawn(read([GUARD.removesuffix("3") + "9999", HANDLER]), "wide")

    assert "Guard.judge" in picture
    assert "gateway/endpoints/session.py" not in picture
