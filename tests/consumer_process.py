"""One consumer process for tests/test_jobs.py: QUEUE-URL RESULT-FILE, then `go` on standard input.

Says `checked` after its first look at the periodic tasks, and ends when standard input does.
"""

import os
import sys
from datetime import datetime
from pathlib import Path

from notiway.ops import jobs
from notiway.values.config import Config

NOW = datetime(2026, 1, 15, 12, 0)  # noqa: DTZ001 - huey's times are UTC without a zone
TASKS = 10


def main(url: str, results: Path) -> None:
    huey = jobs.build_huey(Config(jobs_url=url), secret="the same in every process")
    huey._get_timestamp = lambda: NOW
    for number in range(TASKS):
        huey.periodic_task(jobs.daily(3), name=f"task{number}", once_per="day")(recorder(results, number))
    check = jobs.OnceScheduler.enqueue_periodic_tasks

    def check_and_tell(scheduler, now):
        check(scheduler, now)
        print("checked", flush=True)

    jobs.OnceScheduler.enqueue_periodic_tasks = check_and_tell
    sys.stdin.readline()
    consumer = jobs.Background(huey, max_delay=0.1, shutdown_timeout=10)
    consumer.start()
    sys.stdin.read()
    consumer.stop()


def recorder(results: Path, number: int):
    def record() -> None:
        with results.open("a") as file:  # one short write: whole lines, whoever else writes
            file.write(f"task{number} {os.getpid()}\n")

    return record


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
