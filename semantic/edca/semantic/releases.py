"""Releases: labelled values that may go out, to whom, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.machine import Release
from edca.semantic.problems import did_you_mean, listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.diagnostics.source import Span
    from edca.semantic.checked import CheckedTransition
    from edca.semantic.vocabulary import Vocabulary


def releases(spec: tree.Spec, words: Vocabulary, transitions: Iterable[CheckedTransition]) -> tuple[Release, ...]:
    """Return every release that checks."""
    labelled = words.memory_labels | {name: claim.labels for name, claim in words.claims.items()}
    owners = {name: {field.name: field.labels for field in entity.fields} for name, entity in words.entities.items()}
    for name, entity in words.entities.items():
        owners[name] |= {part.name: () for part in entity.key}
    for item in transitions:  # branches of one name have the same parameters
        owners[item.offered] = {parameter.name: parameter.labels for parameter in item.parameters}
    given: dict[tuple[str | None, str, str], Span] = {}
    found: list[Release] = []
    for declaration in spec.declarations:
        if isinstance(declaration, tree.Release):
            value = _value(declaration, words, labelled, owners)
            to = _receivers(declaration, words, value, given)
            if value is not None and to:
                found.append(Release(*value, to, declaration.text.value))
    return tuple(found)


def _value(
    declaration: tree.Release,
    words: Vocabulary,
    labelled: Mapping[str, tuple[str, ...]],
    owners: Mapping[str, Mapping[str, tuple[str, ...]]],
) -> tuple[str | None, str] | None:
    """Return the (owner, name) that is released, or null with a finding."""
    add, name, field = words.problems.add, declaration.name, declaration.field
    if field is not None:
        if name.text not in owners:
            if name.text not in words.offered:  # else it has an error of its own
                words.entity(name)
            return None
        labels = owners[name.text]
        if field.text not in labels:
            what = "field" if name.text in words.entities else "parameter"
            help_ = did_you_mean(field.text, labels, f"its {what}s are {listing(labels)}")
            message = f"`{name.text}` has no {what} `{field.text}`"
            add("N005", field.span, message, label="not declared", help=help_, declared=words.spans.get(name.text))
            return None
        if labels[field.text]:
            return name.text, field.text
        shown, span = f"{name.text}.{field.text}", field.span
    elif name.text in words.entities:
        help_ = f"name one of its fields: `{name.text}.FIELD`"
        add("C036", name.span, f"`{name.text}` is an entity, and fields are released one by one", help=help_)
        return None
    elif having := [owner for owner in words.offered if name.text in owners.get(owner, ())]:
        help_ = f"say of which transition: {listing(f'{owner}.{name.text}' for owner in having)}"
        add("C036", name.span, f"`{name.text}` is a parameter, and parameters are released one by one", help=help_)
        return None
    elif name.text not in labelled:
        known = "name a memory field, a claim, `ENTITY.FIELD` or `TRANSITION.PARAMETER`"
        help_ = did_you_mean(name.text, labelled, known)
        add("N001", name.span, f"`{name.text}` means nothing here", label="not declared", help=help_)
        return None
    elif labelled[name.text]:
        return None, name.text
    else:
        shown, span = name.text, name.span
    help_ = "only `personal` and `secret` values need a release: drop the line, or label the value"
    add("C036", span, f"`{shown}` has no label, so nothing keeps it back", help=help_)
    return None


def _receivers(
    declaration: tree.Release,
    words: Vocabulary,
    value: tuple[str | None, str] | None,
    given: dict[tuple[str | None, str, str], Span],
) -> tuple[str, ...]:
    """Return who is named and can receive it, sorted."""
    add = words.problems.add
    found: set[str] = set()
    for name in declaration.to:
        if name.text not in words.roles and name.text not in words.effects:
            help_ = did_you_mean(name.text, (*words.roles, *words.effects), "a value is released to roles and effects")
            add("N007", name.span, f"there is no role or effect `{name.text}`", label="not declared", help=help_)
            continue
        if value is not None:
            earlier = given.setdefault((*value, name.text), name.span)
            if earlier is not name.span:
                message = f"this is released to `{name.text}` twice"
                add("N002", name.span, message, declared=earlier, declared_label="first released here")
        found.add(name.text)
    return tuple(sorted(found))
