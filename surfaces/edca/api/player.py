"""Recorded models: what a model once replied, kept as JSON Lines and played again without it, strictly.

Each line is one turn: `{"prompt": {…}, "reply": {…}}`, in order. A recording is played only to the very prompts it was
made with: at the first one that differs it stops, and says where. So an example that runs offline can't quietly go on
with replies to questions that nobody asked. What isn't published stands in prompts as handles, so use one `secret` of
`converse` for recording and playing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from edca.api.converse_model import Reply, Shape

if TYPE_CHECKING:
    import os

    from edca.api.converse_model import Model, Prompt

_LINE_SIZE_MAX = 4 << 20
_SHAPES = get_args(Shape)
_REPLY = {"candidate": (str, type(None)), "says": (str,), "cost": (int, type(None)), "shape": (str,)}


class RecordingError(ValueError):
    """A file is no recording; the message names the line and what is wrong with it."""


class DivergedError(RuntimeError):
    """What a recorded model is asked is not what its recording was made with. `turn` counts from 1.

    It ends a conversation, whatever rungs there are: no other model could make the recording right.
    `path` is the first place in the prompt that differs; `recorded` and `asked` are what stands there, as JSON.
    """

    def __init__(self, turn: int, path: str, recorded: str, asked: str) -> None:
        """Say where."""
        super().__init__(
            f"turn {turn}: the prompt is not the recorded one at `{path}`: recorded {recorded}, asked {asked}; "
            "if the spec, the facts or the conversation changed on purpose, record it again"
        )
        self.turn, self.path, self.recorded, self.asked = turn, path, recorded, asked


@dataclass(frozen=True, slots=True)
class _Line:
    prompt: Any
    reply: Reply


class RecordedModel:
    """Plays a recording. Not for threads: one conversation at a time has a recording."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Read the whole file. Raises `RecordingError` for one that is none, and `OSError`."""
        self._lines = _read(Path(path))
        self._next = 0

    @property
    def left(self) -> int:
        """How many turns have not been played yet: a test that plays to the end wants none."""
        return len(self._lines) - self._next

    def propose(self, prompt: Prompt, /) -> Reply:
        """Return the reply of this turn. Raises `DivergedError` for a prompt that is not the recorded one."""
        turn = self._next + 1
        if not self.left:
            raise DivergedError(turn, "", "no such turn", "another prompt")
        line = self._lines[self._next]
        asked = _plain(prompt)
        found = first_difference(line.prompt, asked)
        if found is not None:
            raise DivergedError(turn, *found)
        self._next += 1
        return line.reply


class RecordingModel:
    """Asks another model, and keeps what it is asked and replies. What it raises is not kept."""

    def __init__(self, model: Model, path: str | os.PathLike[str]) -> None:
        """Begin a new file at `path`."""
        self._model = model
        self._path = Path(path)
        self._path.write_bytes(b"")

    def propose(self, prompt: Prompt, /) -> Reply | None:
        """Ask, and append one line."""
        reply = self._model.propose(prompt)
        if reply is not None:
            candidate = None if reply.candidate is None else reply.candidate.decode("utf-8", errors="surrogateescape")
            said = {"candidate": candidate, "says": reply.says, "cost": reply.cost, "shape": reply.shape}
            text = json.dumps({"prompt": prompt.to_raw(), "reply": said}, sort_keys=True)
            with self._path.open("a", encoding="ascii", newline="\n") as file:
                file.write(f"{text}\n")
        return reply


def first_difference(recorded: Any, asked: Any, path: str = "$") -> tuple[str, str, str] | None:
    """Return where two JSON values first differ, and what stands there in each; null where they are equal."""
    if isinstance(recorded, dict) and isinstance(asked, dict):
        for name in sorted({*recorded, *asked}):
            if name not in recorded or name not in asked:
                return f"{path}.{name}", _brief(recorded.get(name)), _brief(asked.get(name))
            found = first_difference(recorded[name], asked[name], f"{path}.{name}")
            if found is not None:
                return found
        return None
    if isinstance(recorded, list) and isinstance(asked, list):
        for index, (one, other) in enumerate(zip(recorded, asked, strict=False)):
            found = first_difference(one, other, f"{path}[{index}]")
            if found is not None:
                return found
        if len(recorded) != len(asked):
            return f"{path}.length", str(len(recorded)), str(len(asked))
        return None
    same = type(recorded) is type(asked) and recorded == asked
    return None if same else (path, _brief(recorded), _brief(asked))


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _plain(prompt: Prompt) -> Any:
    return json.loads(json.dumps(prompt.to_raw()))


def _read(path: Path) -> list[_Line]:
    found: list[_Line] = []
    with path.open("rb") as file:
        for number, text in enumerate(iter(lambda: file.readline(_LINE_SIZE_MAX + 1), b""), start=1):
            where = f"`{path}`, line {number}"
            if len(text) > _LINE_SIZE_MAX:
                raise RecordingError(f"{where}: longer than {_LINE_SIZE_MAX} bytes")
            try:
                line = json.loads(text.decode("utf-8"), object_pairs_hook=_once)
            except ValueError as error:
                raise RecordingError(f"{where}: not one JSON object: {error}") from error
            found.append(_line(line, where))
    return found


def _line(line: Any, where: str) -> _Line:
    if not isinstance(line, dict) or set(line) != {"prompt", "reply"}:
        raise RecordingError(f"{where}: a line has exactly the members `prompt` and `reply`")
    reply = line["reply"]
    if not isinstance(reply, dict) or set(reply) != set(_REPLY):
        raise RecordingError(f"{where}: a reply has exactly the members {', '.join(f'`{name}`' for name in _REPLY)}")
    for name, types in _REPLY.items():
        if not isinstance(reply[name], types) or isinstance(reply[name], bool):
            raise RecordingError(f"{where}: `{name}` is a {type(reply[name]).__name__}")
    if reply["shape"] not in _SHAPES:
        raise RecordingError(f"{where}: `shape` is one of {', '.join(_SHAPES)}")
    candidate = reply["candidate"]
    # What a model wrote need not be text; a recording of it is, so that people can read and compare it.
    payload = None if candidate is None else candidate.encode("utf-8", errors="surrogateescape")
    return _Line(line["prompt"], Reply(payload, reply["says"], reply["cost"], reply["shape"]))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found
