"""The time limit: it ends what does not end, and touches nothing else."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from segtutor.exercises.engine import limits
from segtutor.exercises.engine.limits import OutOfTimeError, call_within


def work():
    return sorted(range(50))


def plain():
    while True:
        work()


def swallows_exceptions():
    while True:
        try:  # noqa: SIM105
            work()
        except Exception:
            pass


def swallows_everything():
    while True:
        try:  # noqa: SIM105
            work()
        except:  # noqa: E722
            pass


def swallows_everything_asleep():
    while True:
        try:  # noqa: SIM105
            time.sleep(0.001)
        except:  # noqa: E722
            pass


def swallows_everything_twice():
    while True:
        try:  # noqa: SIM105
            swallows_everything()
        except:  # noqa: E722
            pass


def gives_up_and_answers():
    try:
        plain()
    except:  # noqa: E722
        return 5


def translates():
    try:
        plain()
    except BaseException as error:
        raise ValueError("no") from error


def comprehension():
    return [n for n in iter(int, 1)]  # int() is 0, for ever  # noqa: C416


ENDLESS = [
    plain,
    swallows_exceptions,
    swallows_everything,
    swallows_everything_asleep,
    swallows_everything_twice,
    gives_up_and_answers,
    translates,
    comprehension,
]


@pytest.mark.parametrize("endless", ENDLESS, ids=lambda function: function.__name__)
def test_what_does_not_end_is_ended(endless):
    tracer = sys.gettrace()
    start = time.monotonic()
    with pytest.raises(OutOfTimeError):
        call_within(0.05, endless)
    assert time.monotonic() - start < 3
    assert sys.gettrace() is tracer


def test_it_works_in_any_thread():
    seen = []

    def run():
        try:
            call_within(0.05, swallows_everything)
        except OutOfTimeError as error:
            seen.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(5)
    assert len(seen) == 1


def test_values_and_exceptions_pass_through():
    assert call_within(5, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        call_within(5, lambda: 1 / 0)
    with pytest.raises(KeyboardInterrupt):
        call_within(5, _interrupted)


def _interrupted():
    raise KeyboardInterrupt


@pytest.fixture
def eager_threads():
    """Let threads take turns every 10 µs, so that the watch can strike at any moment."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def test_nothing_arrives_after_the_call(eager_threads):
    """Calls that end in the very moment their time is over: the race that has to be won."""
    over = 0
    for attempt in range(400):

        def busy(until=0.0005 + 0.000_01 * (attempt % 150)):
            end = time.perf_counter() + until
            while time.perf_counter() < end:
                pass
            return "done"

        try:
            assert call_within(0.001, busy) == "done"
        except OutOfTimeError:
            over += 1
        sum(range(200))  # a stray exception would be raised here, or in the next round
    assert 0 < over < 400  # the race did take place


def test_an_exception_that_hits_the_end_of_the_watch_goes_no_further(monkeypatch):
    close = limits._Guard.close
    guards = []

    def hit_at_first(guard):
        guards.append(guard)
        if len(guards) == 1:
            raise guard._error
        close(guard)

    monkeypatch.setattr(limits._Guard, "close", hit_at_first)
    with pytest.raises(OutOfTimeError):
        call_within(0.05, plain)
    assert len(guards) == 2
    assert guards[0]._over.is_set()


def test_the_watch_ends_with_the_call():
    before = threading.active_count()
    for _ in range(20):
        call_within(60, work)
    end = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() <= before


SLOW = """
import time

for _ in range({rounds}):
    time.sleep(0.01)
ready = True
"""


def test_an_import_is_not_cut_off_and_its_time_does_not_count(tmp_path, monkeypatch):
    (tmp_path / "loads_slowly.py").write_text(SLOW.format(rounds=60))
    monkeypatch.syspath_prepend(tmp_path)

    def loads():
        import loads_slowly

        for _ in range(5):
            time.sleep(0.01)
        return loads_slowly.ready

    assert call_within(0.3, loads)


def test_what_does_not_end_after_an_import_is_ended(tmp_path, monkeypatch):
    (tmp_path / "loads_then.py").write_text(SLOW.format(rounds=20))
    monkeypatch.syspath_prepend(tmp_path)

    def loads_and_stays():
        import loads_then  # noqa: F401

        plain()

    with pytest.raises(OutOfTimeError):
        call_within(0.1, loads_and_stays)
    assert sys.modules.pop("loads_then").ready
