"""Admission of what is asked: bytes become an inquiry, or a named reason why they are none, as strictly as candidates.

```json
{"query": "order_of", "arguments": {"order_id": "o1"}}
```

Only `query` is required.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.kernel import canonical
from edca.kernel.inquiry import Inquiry
from edca.semantic.candidate import NAME_MAX, MalformedError, arguments_of, malformed, parse_object, text_of

if TYPE_CHECKING:
    from edca.kernel.candidate import Caller, Malformed

MEMBERS = ("query", "arguments")


def admit_inquiry(payload: bytes, caller: Caller) -> Inquiry | Malformed:
    """Return the inquiry that `payload` is, or why it is none. Never raises, whatever the bytes."""
    try:
        return _inquiry(parse_object(payload), caller)
    except MalformedError as error:
        return malformed(str(error), payload, caller)


def _inquiry(parsed: dict[str, Any], caller: Caller) -> Inquiry:
    surplus = sorted(set(parsed) - set(MEMBERS))
    if surplus:
        raise MalformedError(f"unexpected member `{surplus[0]}`; allowed are {', '.join(MEMBERS)}")
    inquiry = Inquiry(
        query=text_of(parsed, "query", NAME_MAX, required=True),
        arguments=arguments_of(parsed),
        proposer=caller.proposer,
        role=caller.role,
        subject=caller.subject,
        model=caller.model,
    )
    try:
        canonical.encode(inquiry.to_raw())
    except canonical.CanonicalError:
        raise MalformedError("a text holds a lone surrogate, or the arguments nest too deep") from None
    return inquiry
