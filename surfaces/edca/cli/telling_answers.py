"""Records of answers to open questions, and of questions that nobody answered, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from edca.cli.telling_codes import VOIDS
from edca.kernel.calendar import time_text
from edca.kernel.inputs import Authenticated
from edca.runtime.approving import Void


def approval_lines(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of an answer's record."""
    yield f"time: {time_text(content['at'])} (clock: {content['clock']})"
    word = "yes" if content["yes"] else "no"
    yield f"{content['by']} as {content['role']} says {word} to {content['code']} of question {content['question']}"
    yield f"  shown: preview {content['preview'].hex()}"
    if content["void"] is None:
        signed = content["authenticated"] == Authenticated.SIGNED.value
        how = "signed with their own key" if signed else "asserted by the host: no signature proves who it was"
        yield f"  it counts; who it was is {how}"
    else:
        detail = f" ({content['detail']})" if content["detail"] else ""
        yield f"  void: {content['void']}: {VOIDS[Void(content['void'])]}{detail}"


def closed_lines(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the record of a question whose time is over."""
    yield f"time: {time_text(content['at'])} (clock: {content['clock']})"
    yield f"question {content['question']} was due {time_text(content['due'])} and is closed; that approves nothing"
