"""Run the mailbox until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from seminars.local.mailbox.sink import Sink
from seminars.local.mailbox.site import Server
from seminars.local.mailbox.store import Store


def main() -> None:
    """Take mails on one port, show them on the other."""
    parser = argparse.ArgumentParser(prog="python -m seminars.local.mailbox", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (0.0.0.0 in a container)")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--web-port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the mails")
    asked = parser.parse_args()
    # Before any thread is made, so that none of them is interrupted instead.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    store = Store(asked.data)
    sink = Sink(store, asked.smtp_port, host=asked.host).start()
    site = Server(store, asked.web_port, host=asked.host)
    threading.Thread(target=site.serve_forever, name="web", daemon=True).start()
    print(f"Mails to {sink.url} are shown at http://localhost:{site.server_port}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    sink.stop()
    site.shutdown()
    site.server_close()


if __name__ == "__main__":
    main()
