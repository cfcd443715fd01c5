"""Holds and erasures in words, and what can still be told of a verdict whose personal values were erased."""

from collections.abc import Iterable, Mapping
from typing import Any

from edca.runtime.holds import CASE
from edca.runtime.kinds import ERASED, HOLD
from edca.runtime.vault_check import CheckedVault, VaultFinding

KINDS = (ERASED, HOLD)


def erasure_lines(kind: str, content: Mapping[str, Any]) -> list[str]:
    """Return what a record of one of `KINDS` says. Raises `KeyError` or `TypeError` for other contents."""
    ordered = [f"by {content['by']} ({content['authenticated']} by the host)", f"because: {content['reason']}"]
    if kind == HOLD:
        what = f"case {content['about']}" if content["of"] == CASE else content["about"]
        told = "is on legal hold: nothing personal of it is erased" if content["holds"] else "is on legal hold no more"
        return [f"{what} {told}", *ordered]
    again = ", once more: an erasure had been cut short, or an old copy brought it back" if content["again"] else ""
    scopes = [f"destroyed the key of {scope}" for scope, _ in content["keys"]]
    open_ = ["also cases that had not come to their end"] if content["forced"] else []
    return [f"erased {content['values']} values of {content['records']} records{again}", *ordered, *scopes, *open_]


def erased_verdict(content: Mapping[str, Any]) -> list[str]:
    """Return what a verdict says where nobody can tell any more what it was decided on."""
    verdict, sent = content["verdict"], content.get("candidate") or content.get("inquiry") or content["malformed"]
    lines = [
        f"proposed by {sent['proposer']} (role {sent['role']})",
        f"{verdict['outcome']} {verdict.get('transition') or verdict.get('query')}: {verdict['code']}",
        *(f"  {clause['result']}: {clause['code']}" for clause in verdict["clauses"]),
    ]
    if verdict.get("anchor") is not None:
        lines.append(f"  answers: {verdict['anchor']['principal']} as {verdict['anchor']['role']}")
    return [*lines, "its personal values were erased: commitments stand in their places"]


def vault_findings(found: Iterable[VaultFinding]) -> list[str]:
    """Return what is wrong with the vault, a line each."""
    return [f"{_where(one)}: personal values: {one.detail}" for one in found]


def _where(found: VaultFinding) -> str:
    if found.scope is not None:
        return f"key of {found.scope}"
    return "vault" if found.index is None else f"record {found.index}"


def vault_lines(found: CheckedVault) -> list[str]:
    """Return what was checked of personal values, and what could not be."""
    lines = []
    if found.findings:
        lines.append("failed: the vault holds the personal values that the records commit to, under whose they are")
    elif found.unread is not None:
        lines.append(f"not checked: personal values: {found.unread}")
    elif found.sealed > found.erased:
        told = f"of {found.sealed - found.erased} records"
        lines.append(f"checked: the vault holds the personal values {told}, as these commit to, under whose they are")
    if found.erased:
        lines.append(f"not checked: the personal values of {found.erased} records: they were erased, on record")
    return lines


def vault_data(found: CheckedVault) -> dict[str, object]:
    """Return what checking the vault came to as JSON-ready data."""
    return {
        "erased": found.erased,
        "findings": [vault_finding_data(one) for one in found.findings],
        "sealed": found.sealed,
        "unread": found.unread,
    }


def vault_finding_data(found: VaultFinding) -> dict[str, object]:
    """Return one thing that is wrong with the vault as JSON-ready data."""
    return {"detail": found.detail, "index": found.index, "scope": found.scope}
