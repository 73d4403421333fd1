"""`python -m seminars.sandbox --port 12111 --data DIR`: the sandbox as a process of its own."""

import argparse
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from werkzeug.serving import WSGIRequestHandler, make_server

from seminars.sandbox import endpoints
from seminars.sandbox.app import create_app
from seminars.sandbox.delivery import Courier
from seminars.sandbox.upcoming import Timekeeper
from seminars.sandbox.world import Options, World

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - asked for by --host, for containers


class Quiet(WSGIRequestHandler):
    """Requests go to the sandbox's own log (GET /_sandbox/log), not to the screen."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if bool(options.webhook_url) != bool(options.webhook_secret):
        sys.exit("--webhook-url and --webhook-secret belong together: give both or neither.")
    near = "127.0.0.1" if options.host in EVERYWHERE else options.host
    world = World(
        Options(
            data=options.data,
            public_url=(options.public_url or f"http://{near}:{options.port}").rstrip("/"),
            shop=options.shop,
            seed=options.seed,
            clock=options.clock,
            webhook_url=options.webhook_url,
            webhook_secret=options.webhook_secret,
        )
    )
    endpoints.make_sure(world)
    courier, timekeeper = Courier(world), Timekeeper(world)
    try:
        server = make_server(options.host, options.port, create_app(world, courier), threaded=True, request_handler=Quiet)
    except SystemExit:
        sys.exit(f"The sandbox could not listen on {options.host}:{options.port}. Choose another --port.")

    def stop(number: int, frame: FrameType | None) -> None:
        # shutdown() waits for the loop that this very thread runs, so another thread must call it.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    courier.start()
    timekeeper.start()
    print(f"Stripe sandbox ready at {world.options.public_url} (data in {options.data})", flush=True)
    server.serve_forever(poll_interval=0.1)
    courier.stop()
    timekeeper.stop()
    courier.join(timeout=2.0)
    timekeeper.join(timeout=2.0)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m seminars.sandbox", description="A local server that speaks Stripe.")
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--data", type=Path, required=True, help="folder of its store; made when missing")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (0.0.0.0 in a container)")
    parser.add_argument("--public-url", help="how browsers reach the hosted page, when it is not host and port")
    parser.add_argument("--shop", default="Sandbox", help="the name on the payment page, when the session gives none")
    parser.add_argument("--seed", type=int, help="two runs with one seed make the same ids")
    parser.add_argument("--clock", type=_moment, help="a fixed moment, ISO 8601, at which the clock stands until moved")
    parser.add_argument("--webhook-url", help="an endpoint that must exist, told of every event")
    parser.add_argument("--webhook-secret", help="its signing secret, whsec_…")
    return parser


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
