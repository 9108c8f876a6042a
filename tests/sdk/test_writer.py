"""No two processes write one series in one second, and yet names are used again."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from otel_kit.sdk.delivery.writer import Writer
from tests.parts import start
from tests.sdk.run import endpoint
from tests.sdk.sink import running_sink

SECOND = 10**9


def writer(folder: Path, begins: str = "uid") -> Writer:
    """A process of the pod whose shared memory is `folder`."""
    return Writer(begins, shared=True, folder=str(folder))


def end(one: Writer) -> None:
    """As the kernel does it when a process ends."""
    assert one._file is not None
    os.close(one._file)


def number(one: Writer) -> str:
    """The last part of its name."""
    return one.name.rpartition("-")[2]


def test_processes_take_the_lowest_number_that_is_free(tmp_path: Path) -> None:
    first, second, third = writer(tmp_path), writer(tmp_path), writer(tmp_path)
    assert [number(w) for w in (first, second, third)] == ["0", "1", "2"]
    assert number(writer(tmp_path, "other-uid")) == "0"
    second.use(time.time_ns() - 5 * SECOND)
    last = second.last
    end(second)
    again = writer(tmp_path)
    assert number(again) == "1"
    assert again.last == last


def test_a_number_whose_seconds_are_not_over_is_left_alone(tmp_path: Path) -> None:
    for ahead, expected in ((0, "1"), (50, "1"), (-1, "0")):
        first = writer(tmp_path / "..", f"{tmp_path.name}{ahead}")
        first.use(time.time_ns() + ahead * SECOND)
        end(first)
        if ahead == 0 and time.time_ns() // SECOND != first.last // SECOND:
            continue  # the second was over before we could look
        assert number(writer(tmp_path / "..", f"{tmp_path.name}{ahead}")) == expected


def test_a_child_has_a_number_of_its_own(tmp_path: Path) -> None:
    first = writer(tmp_path)
    held = os.dup(first._file or 0)  # the parent's, which stays locked
    first.renew_after_fork()
    assert number(first) == "1"
    os.close(held)
    assert number(writer(tmp_path)) == "0"


def test_files_that_a_daemon_closes_are_not_written_to(tmp_path: Path) -> None:
    """The same number may mean a file of the service by then."""
    first = writer(tmp_path)
    assert first._file is not None
    others = tmp_path / "others"
    others.write_text("precious")
    with others.open("r+") as file:
        os.dup2(file.fileno(), first._file)
        first.use(time.time_ns())
        assert others.read_text() == "precious"
        assert not first.keep()
    assert first.keep()
    assert (number(first), number(writer(tmp_path))) == ("0", "1"), "it holds its own file again"


def test_a_name_that_was_lost_is_given_up(tmp_path: Path) -> None:
    first = writer(tmp_path)
    told: list[str] = []
    first.on_change = lambda: told.append(first.name)
    before = first.name
    Path(first._path).unlink()  # somebody cleans up
    second = writer(tmp_path)
    assert second.name == before
    assert not first.keep()
    assert (number(first), told) == ("1", [first.name])
    assert first.keep()
    assert second.keep()


def plant(kind: str, place: Path, victim: Path) -> None:
    """What somebody may put into a folder to which all may write."""
    victim.write_text("short")
    if kind == "link":
        place.symlink_to(victim)
    elif kind == "hard link":
        place.hardlink_to(victim)
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.touch()
        os.chown(place, 12345, 12345)


def open_files() -> int:
    """Of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe", "folder", "of another user"])
def test_what_others_put_in_the_place_of_a_file_is_left_alone(kind: str, tmp_path: Path) -> None:
    if kind == "of another user" and os.geteuid() != 0:
        pytest.skip("only root gives files away")
    victim = tmp_path / "victim"
    plant(kind, tmp_path / "otel-kit-uid-0", victim)
    files = open_files()
    one = writer(tmp_path)
    one.use(time.time_ns())
    assert number(one) == "1"
    assert victim.read_text() == "short"
    assert open_files() == files + 1


def test_without_a_place_for_files_names_are_random(tmp_path: Path) -> None:
    for one in (writer(tmp_path / "missing"), Writer("uid", shared=False)):
        assert one.name.startswith(f"uid-{os.getpid()}-")
        one.use(1)
        one.renew_after_fork()
    assert len({Writer("uid", shared=False).name for _ in range(100)}) == 100


@pytest.mark.parametrize("begins", ["a\0b", "\ud800", "long" * 100, "../../outside", ""])
def test_no_name_is_too_odd(begins: str, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    one, other = writer(folder, begins), writer(folder, begins)
    one.use(time.time_ns())
    assert one.keep()
    assert one.name != other.name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


CHILDREN = """
import os, otel_kit
from opentelemetry import metrics
otel_kit.init(service="parent")
for _ in range(12):
    if os.fork() == 0:
        metrics.get_meter("m").create_counter("work.done").add(1)
        raise SystemExit
    os.wait()
"""


def test_many_short_children_share_few_names_and_lose_nothing() -> None:
    pod = f"pod-{os.getpid()}-{time.time_ns()}"
    with running_sink() as sink:
        with start([sys.executable, "-c", CHILDREN], env={**endpoint(sink), "POD_UID": pod}) as part:
            assert part.wait() == 0, part.output()
        seen = sink.seen
    assert seen.total("work.done") == 12
    assert len(seen.named("work.done")) == 12
    assert max(Counter((*p.series, p.time // SECOND) for p in seen.points).values()) == 1
    assert all(p.resource["service.instance.id"].startswith(f"{pod}-") for p in seen.points)
    for path in Path("/dev/shm").glob(f"otel-kit-{pod}-*"):
        path.unlink()
