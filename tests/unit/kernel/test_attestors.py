"""Who may say yes, or make a claim: the subject for themselves, people on the roster in roles they hold, no model."""

from __future__ import annotations

import pytest
from worlds import approval, said

from edca.kernel.roster import Principal, Roster
from edca.kernel.verdict import Accepted, Escalated


@pytest.mark.parametrize(
    ("by", "role", "counts"),
    [
        ("carla", "customer", True),  # the subject
        ("dora", "customer", False),  # another customer, whoever vouches for her
        ("sven", "customer", False),  # on the roster, but as a supervisor
        ("chris", "customer", True),  # the roster says that he speaks for customers
        ("assistant-2", "customer", False),  # a model, whatever the roster says
        ("carla", "supervisor", False),  # the right person in the wrong role
    ],
)
def test_a_yes_counts_only_from_somebody_who_may_give_it(by: str, role: str, counts: bool) -> None:
    setup = approval()
    roster = Roster(
        (
            *(p for p in setup.inputs.roster.principals if p.id not in ("chris", "assistant-2")),
            Principal("chris", ("customer",)),
            Principal("assistant-2", ("customer", "assistant"), "some-model-1"),
        ),
        setup.inputs.roster.mandates,
    )
    others = tuple(a for a in setup.inputs.attestations if a.name != "agreed")
    verdict = setup.with_inputs(roster=roster, attestations=(*others, said("agreed", True, by, role))).decide()
    assert isinstance(verdict, Accepted if counts else Escalated)
