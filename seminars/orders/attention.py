"""Why a person must look at an order: one sentence a line, each kept until somebody has settled what it says."""

from sqlalchemy.orm import Session

from seminars.orders.models import Order


def needs_look(session: Session, order: Order, sentence: str) -> None:
    """Put a matter on the order, below those that wait already. The same sentence stands once."""
    waiting = _locked(session, order)
    if (one_line := " ".join(sentence.split())) not in waiting:
        order.needs_review = "\n".join([*waiting, one_line])
        session.flush()


def looked_at(session: Session, order: Order, sentence: str) -> None:
    """Take one matter off the order; the others stay."""
    waiting, one_line = _locked(session, order), " ".join(sentence.split())
    order.needs_review = "\n".join(one for one in waiting if one != one_line)
    session.flush()


def _locked(session: Session, order: Order) -> list[str]:
    # Read under the lock: of two who have something to say at once, neither must wipe out the other.
    session.flush()
    session.refresh(order, ["needs_review"], with_for_update={"key_share": True})
    return order.needs_review.splitlines()
