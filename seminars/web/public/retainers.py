"""The statement of a retainer, which its secret link opens: hours bought, used and left."""

from flask import Blueprint, Response, make_response, render_template
from sqlalchemy.orm import Session

from seminars.db import db
from seminars.engagements import hours, queries, retainers, statement
from seminars.engagements.models import Retainer
from seminars.kit.money import Money
from seminars.kit.refusals import NotFound

blueprint = Blueprint("retainers", __name__)


def the_retainer(session: Session, secret: str) -> Retainer:
    """The retainer that this link opens. Raises NotFound."""
    retainer = queries.retainer_by_secret(session, secret[:40])
    if retainer is None:
        raise NotFound("There is no statement at this address. Open the link in our mail once more.")
    return retainer


@blueprint.get("/retainers/<secret>")
def show(secret: str) -> Response:
    """What was bought, what was done, what is left."""
    retainer = the_retainer(db.session(), secret)
    entries = statement.entries_of(retainer, queries.logs_of(db.session(), retainer))
    beyond = sum(one.amount.amount for one in entries if not one.billed)
    return make_response(
        render_template(
            "public/retainer.html",
            retainer=retainer,
            entries=entries,
            left=retainers.left(retainer),
            told=hours.told,
            total=Money(retainers.price_of(retainer), retainer.currency),
            rate=Money(retainer.rate, retainer.currency),
            unbilled=Money(beyond, retainer.currency),
        )
    )


@blueprint.get("/retainers/<secret>/statement.csv")
def statement_csv(secret: str) -> Response:
    """The same for a spreadsheet."""
    retainer = the_retainer(db.session(), secret)
    lines = statement.csv_of(statement.entries_of(retainer, queries.logs_of(db.session(), retainer)))
    response = Response(lines, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{retainer.number}.csv"'
    return response
