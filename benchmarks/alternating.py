"""Time functions against each other: in turn, in one run, as ratios.

A shared machine runs several times slower in one minute than in the next, so absolute times
mean little. Here every function runs once a round, and what is reported is the median over
the rounds of its time divided by the reference's time *in the same round*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from time import perf_counter

import torch
from torch.profiler import ProfilerActivity, profile


@dataclass(frozen=True)
class Row:
    """One line of the book's page of speeds: ours beside one peer.

    Attributes:
        what: The work, in a few words: "confusion matrix with void, 8×512×512, 19 classes".
        ours: The name of our function, as a reader types it.
        peer: The other library's call, as a reader would write it.
        faster: The peer's time divided by ours; above 1, ours is faster.
        goal: What `faster` has to reach; None where the peer is shown for comparison only.
        memory: Our peak memory divided by the peer's, or None if it was not measured. Where
            there is a goal, it may not be above 1.
    """

    what: str
    ours: str
    peer: str
    faster: float
    goal: float | None = None
    memory: float | None = None

    @property
    def reached(self) -> bool:
        """Whether the goal, if there is one, is reached, without more memory than the peer's."""
        lean = self.memory is None or self.memory <= 1
        return self.goal is None or (self.faster >= self.goal and lean)


def ratios(
    functions: Mapping[str, Callable[[], object]], reference: str, rounds: int = 60
) -> dict[str, float]:
    """Median over the rounds of each function's time relative to the reference's.

    Args:
        functions: From names to functions without arguments.
        reference: The name of the function that counts as 1.
        rounds: How often each is timed, after two rounds that do not count.

    Returns:
        From names to ratios; smaller is faster.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds + 2):
        for name, function in functions.items():
            synchronize()
            start = perf_counter()
            function()
            synchronize()
            times[name].append(perf_counter() - start)
    base = times[reference][2:]
    return {
        name: median(t / b for t, b in zip(measured[2:], base, strict=True))
        for name, measured in times.items()
    }


def peak_memory(function: Callable[[], object]) -> int:
    """Bytes that PyTorch holds at once while the function runs, beyond what it held before.

    On a GPU its allocator counts; on the CPU the profiler sees each allocation, those inside
    of operations too. Memory that NumPy and SciPy take is not seen.
    """
    function()  # what is made once and kept does not count
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        function()
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        function()
    changes = [e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"]
    changes.sort(key=lambda event: event.start_ns())
    return max(accumulate((event.nbytes() for event in changes), initial=0))


def synchronize() -> None:
    """Wait for a GPU to finish, so that its work is counted."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def line(row: Row) -> str:
    """One row for the terminal."""
    goal = "" if row.goal is None else f"   goal {row.goal:.2g}: {'yes' if row.reached else 'NO'}"
    memory = "" if row.memory is None else f"   memory {row.memory:.2f} ×"
    return f"{row.what:52} {row.peer:44} {row.faster:7.2f} ×{memory}{goal}"
