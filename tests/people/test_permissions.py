from dataclasses import dataclass

import pytest

from seminars.people.models import ROLES
from seminars.people.permissions import RIGHTS, see_finance


@dataclass
class Role:
    name: str


@dataclass
class Person:
    roles: list[Role]
    active: bool = True


@pytest.mark.parametrize("right", RIGHTS.values(), ids=lambda right: right.name)
def test_a_right_belongs_to_known_roles_and_to_nobody_without_one(right) -> None:  # type: ignore[no-untyped-def]
    assert right.roles and right.roles <= set(ROLES)
    assert not right(None)
    assert not right(Person([]))
    assert not any(right(Person([Role(name)], active=False)) for name in ROLES)
    assert {name for name in ROLES if right(Person([Role(name)]))} == right.roles


def test_whoever_hands_out_rights_does_not_also_see_the_money() -> None:
    assert see_finance.roles == {"finance", "finance_approver"}
    assert see_finance.second_factor
