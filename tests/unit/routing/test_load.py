"""Goal: routes are total and typed. Nothing can be left out, said twice, or mapped to what can't give its type."""

import re
from collections.abc import Callable

import pytest

from edca.diagnostics import Source
from edca.kernel import canonical
from edca.kernel.machine import Machine
from edca.routing import Routes, evidence_plan, load

Codes = Callable[[str], list[str]]


def _lines(text: str) -> list[str]:
    return text.split("\n")


def _said(line: str) -> str:
    return re.sub(r"\s+", " ", line.strip())


def test_dropping_any_line_is_an_error(text: str, codes_of: Codes) -> None:
    lines = _lines(text)
    silent = []
    for index, line in enumerate(lines):
        if line.strip() and not codes_of("\n".join(lines[:index] + lines[index + 1 :])):
            silent.append(_said(line))
    # What an effect does, and which code is a state, is the author's to say; everything else has to be there.
    assert silent == [
        'case state = st codes { waiting = "W", gone = "G" }',
        'check x_cst where cno = "banned" expect 0',
        'update x_pcl set st = "G", mk_us = when_sent as micros where pno = parcel.parcel_id and st = "W" expect 1',
        "insert x_stp set pno = parcel.parcel_id, dcd = m.depot, fee_c = m.fee as units, pd_f = 0",
        "update x_slt set left_n = left_n - 1 where dcd = m.depot and sdt = m.day as days and left_n >= 1 expect 1",
        'insert x_tag set pno = parcel.parcel_id, tg = numbered "trip_" from 7 where pno = parcel.parcel_id',
        'update x_cst set bal_c = bal_c - fee as units where cno = "c1" and bal_c >= fee as units',
        "delete x_tag where pno = parcel.parcel_id",
        "delete x_pcl where pno = parcel.parcel_id expect 1",
    ]


def test_doubling_any_declaring_line_is_an_error(text: str, codes_of: Codes) -> None:
    lines = _lines(text)
    for index, line in enumerate(lines):
        said = _said(line)
        declares = re.match(r"(\w+ = |case state|codes |routes |entity (customer|slot))", said)
        if declares:
            found = codes_of("\n".join([*lines[: index + 1], *lines[index:]]))
            assert found and set(found) == {"R002"}, said


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        # the machine
        ("for parcels", "for letters", "R012"),
        ("entity slot from", "entity slots from", "R001 R004"),
        ("effect drop(", "effect drops(", "R001 R004"),
        ("  pieces     = pcs_n", "  piece      = pcs_n", "R001 R004"),
        # sources and keys
        ("from yard.x_slt", "from yrad.x_slt", "R010"),
        ("effect drop(parcel) on yard", "effect drop(parcel) on yrad", "R010"),
        ("       applied x_done (k, v)\n", "", "R001 R001"),
        ("key (dcd, sdt as days)", "key (dcd)", "R011"),
        ("       allot x_nos.pno by ord\n", "", "R001"),
        ("ref (cno)", "ref (cno, dcd)", "R011"),
        ("stops      = rows x_stp where pno = pno", "stops      = rows x_stp where pd_f = 1", "R011"),
        # types
        ("= wgt_c as units", "= wgt_c as days", "R003"),
        ("= wgt_c as units", "= wgt_c as cents", "R003"),
        ("= wgt_c as units", "= wgt_c codes { a = 1 }", "R003"),
        ("= pcs_n", "= pcs_n as units", "R003"),
        ("= ref (cno)", "= cno", "R003"),
        ("= pcs_n", "= ref (pcs_n)", "R003"),
        ("= pcs_n", "= values x_tag.tg where pno = pno by tid", "R003"),
        ("tags       = values x_tag.tg where pno = pno by tid", "tags = tg", "R003"),
        ("tags       = values x_tag.tg where", "tags = refs x_tag (tg) where", "R003"),
        ('= record { line = lb1, colour = lb2 codes { red = "R", blue = "B" } }', "= lb1", "R003"),
        ("line = lb1, ", "", "R001"),
        ("line = lb1, ", "line = lb1, line = lb1, ", "R002"),
        ("line = lb1, ", "line = lb1, lines = lb1, ", "R004"),
        ("city       = x_dpt.cty", "city       = x_dpo.cty", "N001"),
        # codes
        ("small = 1, large = 2", "small = 1", "R007"),
        ("small = 1, large = 2", "small = 1, large = 1", "R008"),
        ("small = 1, large = 2", "small = 1, large = 2, huge = 3", "R004"),
        ("small = 1, large = 2", "small = 1, large = null", "R003"),
        ("for size {", "for sise {", "R004 R003"),
        ("codes size_code\n", "codes size_cod\n", "N001"),
        ('true = "Y", false = "N"', 'true = "Y"', "R007"),
        ('waiting = "W", gone = "G"', 'waiting = "W", left = "G"', "N006"),
        ('waiting = "W", gone = "G"', 'waiting = "W", gone = "W"', "R008"),
        ('= st codes { waiting = "W", gone = "G" }', "= st", "R003"),
        # effects
        ("effect drop(parcel)", "effect drop(packet)", "R003"),
        ("effect drop(parcel)", "effect drop()", "R003"),
        ("= parcel.parcel_id expect 1", "= parcel.id expect 1", "T003"),
        ("= parcel.parcel_id expect 1", "= packet.parcel_id expect 1", "N001"),
        ("= parcel.parcel_id expect 1", "= parcel expect 1", "R003"),
        ("= parcel.parcel_id expect 1", "< parcel.parcel_id expect 1", "R003"),
        ("for m in moves", "for m in fee", "T009"),
        ("for m in moves", "for fee in moves", "N003"),
        ("bal_c >= fee as units", "bal_c >= fee", "R003"),
        ("bal_c - fee as units", "bal_c - fee", "R003"),
        ("left_n - 1", 'left_n - "1"', "R003"),
        ("pd_f = 0", "pd_f = pd_f + 1", "R003"),
        ("dcd = m.depot, fee_c", "dcd = m.depot, dcd = m.depot, fee_c", "R002"),
    ],
)
def test_one_mistake(text: str, codes_of: Codes, old: str, new: str, code: str) -> None:
    assert old in text
    assert sorted(codes_of(text.replace(old, new, 1))) == sorted(code.split())


def test_all_mistakes_in_one_run(text: str, codes_of: Codes) -> None:
    changed = text.replace("for parcels", "for letters").replace("= pcs_n", "= pcs_n as days")
    assert codes_of(changed.replace("m.fee", "m.fe")) == ["R012", "R003", "T003"]


def test_what_could_not_be_read_is_not_missed_as_well(text: str, codes_of: Codes) -> None:
    assert codes_of(text.replace("= pcs_n", "= =")) == ["P001"]
    assert codes_of(text.replace("codes size_code for", "codes size_code of")) == ["P001"]
    assert codes_of(text.replace("effect drop(parcel) on", "effect drop(parcel) at")) == ["P001"]
    assert codes_of(text.replace("source yard sql", "source yard http")) == ["P001"]


def test_a_suggestion_where_a_name_is_nearly_right(text: str, machine: Machine) -> None:
    changed = text.replace("  pieces     = pcs_n", "  peices     = pcs_n")
    helps = [finding.help for finding in load(Source("t", changed), machine).diagnostics]
    assert "did you mean `pieces`?" in helps


def test_the_document_is_canonical_and_order_of_declaration_does_not_matter(
    text: str, machine: Machine, routes: Routes
) -> None:
    lines = _lines(text)
    moved = [line for line in lines if "pieces " not in line]
    at = next(index for index, line in enumerate(moved) if "owner " in line)
    moved.insert(at, "  pieces = pcs_n  # first now")
    again = load(Source("moved.arp", "\n".join(moved)), machine).routes
    assert again == routes
    assert again is not None
    assert (again.document, again.digest) == (routes.document, routes.digest)
    assert canonical.encode(canonical.decode(routes.document)) == routes.document
    other = load(Source("o.arp", text.replace("lb1", "lb9")), machine).routes
    assert other is not None
    assert other.digest != routes.digest


def test_the_evidence_plan_names_the_tables(machine: Machine, routes: Routes) -> None:
    lines = [(line.transition, line.entity, line.fields, line.tables) for line in evidence_plan(machine, routes)]
    assert lines == [
        ("create", "customer", ("state",), ("x_cst",)),
        ("create", "parcel", ("city", "stops"), ("x_pcl", "x_dpt", "x_stp")),
    ]
