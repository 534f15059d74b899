"""Answers for work that is spread over processes, with results in the order of the tasks.

Must not know what the work is.
"""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from vmm.engines import outside


def spread(
    work: Callable[..., Any], tasks: Sequence[tuple], names: Sequence[str], jobs: int,
    progress: Callable[[str], None],
) -> Iterator[Any]:  # fmt: skip
    """`work(*task)` of each task; `progress` is called with its name and the number of tasks."""
    told = [f"{name}, {n + 1} of {len(tasks)}" for n, name in enumerate(names)]
    if jobs == 1:
        for task, line in zip(tasks, told, strict=True):
            progress(line)
            yield work(*task)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(tasks) or 1), context, _begin, (outside.files(),))
    try:
        waiting = [pool.submit(work, *task) for task in tasks]
        for future, line in zip(waiting, told, strict=True):
            yield future.result()
            progress(line)
    finally:  # after Ctrl-C or an error, too: do not wait for work that nobody needs any more
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()


def _begin(files: Sequence[Path]) -> None:
    """Begin a process: Ctrl-C ends it silently, and it has the same engines."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    outside.load_all(files)
