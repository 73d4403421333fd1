"""How gunicorn serves: its settings under its own names."""

from __future__ import annotations

from pathlib import Path

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
