"""How gunicorn serves: its settings under its own names."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import multiprocess

from seminars.config import Settings

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

MEMORY = "/dev/shm"  # noqa: S108  gunicorn makes an unnamed file there

worker_class = "gthread"
# The application is loaded once and shared by the processes: half the memory, half the time to start.
preload_app = True
timeout = 60
graceful_timeout = 25
keepalive = 5
# A worker's sign of life is a file: in memory, or a slow disk looks like a hung worker.
worker_tmp_dir = MEMORY if Path(MEMORY).is_dir() else None
# No access log: paths of order pages are secrets. The application logs requests by route.
accesslog = None
# Who sits before us is a setting of ours (TRUSTED_PROXIES); gunicorn itself believes nobody.
forwarded_allow_ips = ""
control_socket_disable = True
proc_name = "seminars-web"

# Each process counts in files of its own; whoever is asked for the counts reads all of them. The library wants the folder's name in the
# environment before the application is loaded.
_counts = Settings.from_env().var_dir / "counts" / socket.gethostname()
shutil.rmtree(_counts, ignore_errors=True)
_counts.mkdir(parents=True)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_counts)


def child_exit(server: Arbiter, worker: Any) -> None:
    """A process that is gone counts no more gauges; its sums stay."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
