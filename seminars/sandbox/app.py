"""The sandbox as one WSGI application: the API, the payer's pages, the controls."""

from flask import Flask, Response, render_template

from seminars.sandbox import control, hosted, instruments, protocol
from seminars.sandbox.delivery import Courier
from seminars.sandbox.world import API_VERSION, World

MOST_BYTES = 1_000_000


def create_app(world: World, courier: Courier) -> Flask:
    """Join the doors. The courier tells the payer's pages when the shop has been told."""
    app = Flask(__name__, template_folder="pages", static_folder="assets", static_url_path="/assets")
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MOST_BYTES
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(protocol.door(world))
    app.register_blueprint(hosted.pages(world, courier))
    app.register_blueprint(control.desk(world, courier))

    @app.get("/")
    def front() -> str:
        return render_template("front.html", cards=instruments.CARDS, spaced=instruments.spaced, version=API_VERSION)

    @app.errorhandler(404)
    def nowhere(error: Exception) -> Response:
        return Response(render_template("nowhere.html"), status=404)

    return app
