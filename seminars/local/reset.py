"""Throw this checkout's data away: the next start begins anew."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from seminars.local.postgres import PostgresUnavailable
from seminars.local.supervisor import Supervisor, Unable, alone, var_folder


def main() -> None:
    """Remove the data, once asked and agreed."""
    parser = argparse.ArgumentParser(prog="run.py reset", description=main.__doc__)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    asked = parser.parse_args()
    var = var_folder()
    if not (var / "run").is_dir():
        print(f"There is no data in {var}.")
        return
    if not asked.yes and not _agreed(var):
        sys.exit("Nothing was removed.")
    try:
        with alone(var):
            supervisor = Supervisor(var, os.environ)
            supervisor.stop_left_over()
            _stop_servers(supervisor)
            shutil.rmtree(var)
    except (Unable, PostgresUnavailable) as unable:
        sys.exit(str(unable))
    print(f"{var} is gone. The next start begins anew.")


def _agreed(var: Path) -> bool:
    if not sys.stdin.isatty():
        return False
    return input(f"Remove every order, mail, file and log in {var}? Type yes: ").strip() == "yes"


def _stop_servers(supervisor: Supervisor) -> None:
    for server in (supervisor.cluster, supervisor.broker):
        if server:
            server.holders.join()
            if not server.stop():
                raise Unable(f"{server.home} is in use by another process. Stop that one first.")


if __name__ == "__main__":
    main()
