"""Writes scenarios of a written spec by chance: every form they have, with values of the right types.

Nothing makes them come true. They are for reading, laying out and running, not for agreeing with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vocabulary_writer import FIELDS, LENGTHS

from edca.kernel.types import OptionalType

if TYPE_CHECKING:
    from vocabulary_writer import Plan, VocabularyWriter


def scenario(writer: VocabularyWriter) -> str:
    """One scenario, of one to three steps."""
    steps = [_step(writer, first=n == 0) for n in range(writer.random.randint(1, 3))]
    return f"scenario {writer.text()} {{\n  " + "\n  ".join(line for step in steps for line in step) + "\n}"


def _step(writer: VocabularyWriter, *, first: bool) -> list[str]:
    random = writer.random
    plan = random.choice(writer.plans)
    lines = _givens(writer, plan) if first else [f"wait {random.choice(LENGTHS)}"] * random.randint(0, 1)
    principal = random.choice(["", ' "k1"', ' "k2"'])
    match random.randrange(6 if not first else 3):
        case 3 if plan.signed:
            word = random.choice(["confirms", "declines", "signs"])
            lines.append(f"when chief{principal} {word} {random.choice(plan.signed)}")
        case 4 if plan.edges:
            lines.append(f"when {writer.effects[0][0]} {random.choice(['succeeds', 'fails', 'times out'])}")
        case _:
            values = [
                f"{name}: {writer.expressions.constant(type_, scenario=True)}" for name, type_, _ in plan.parameters
            ]
            confidence = random.choice(["", "", " confidence 0.91", " confidence 1"])
            role = random.choice(["agent", "person", "chief", "clock"])
            lines.append(f"when {role}{principal} proposes {plan.name}({', '.join(values)}){confidence}")
    lines.append(_then(writer, plan))
    return lines


def _givens(writer: VocabularyWriter, plan: Plan) -> list[str]:
    random, constant = writer.random, writer.expressions.constant
    lines = [f"given {random.choice(writer.states)}"]
    if random.random() < 0.5:
        lines.append("given now = 2026-03-20T12:00:00Z")
        lines.append(random.choice(["given entered = 2026-03-01T00:00:00Z", 'given subject = "k1"']))
    for name in writer.base:
        if random.random() < 0.4:
            lines.append(f"given {name.text} = {constant(name.type, scenario=True)}")
    lines += [f"given {code} = {random.choice(['true', 'false'])}" for code in plan.signed if random.random() < 0.4]
    if random.random() < 0.3:
        lines.append(f'given proposer of {plan.name} = "k1"')
    if plan.signed and random.random() < 0.3:
        lines.append(f'given signers of {plan.signed[0]} = ["k1", "k2"]')
    for thing in writer.things.values():
        given = [
            f"{name} = {constant(type_.of if isinstance(type_, OptionalType) else type_, scenario=True)}"
            for name, type_, _ in thing.fields
            if name not in FIELDS and random.random() < 0.6
        ]
        lines.append(f'given {thing.name}("k1") {{ {", ".join(given)} }}')
    return lines


def _then(writer: VocabularyWriter, plan: Plan) -> str:
    random = writer.random
    match random.randrange(4):
        case 0:
            return f"then refused{random.choice(['', ' ' + ', '.join(plan.signed)]) if plan.signed else ''}"
        case 1:
            return f"then escalated{f' needs {plan.signed[0]}' if plan.signed else ''}"
        case 2:
            memory = random.choice([name for name in writer.base if name.origin == "memory"])
            tail = f" with {memory.text} = {writer.expressions.constant(memory.type)}" if random.random() < 0.5 else ""
            return f"then accepted{random.choice(['', f' to {plan.target}'])}{tail}"
        case _:
            return f"then in {random.choice(writer.states)}"
