"""The harness settings of a trial: `trial.toml`, beside the spec.

They say what a recording leaves open: the policy's `now`, who proposed and who supervised, and who would have attested
what the dialogue holds. The page docs/how-to/run-a-trial.md explains every key.
"""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from edca.cli.errors import CLIError
from edca.kernel.machine import Machine
from edca.kernel.roster import Mandate, Principal, Roster

SETTINGS_FILE: Final = "trial.toml"
TRIAL_SOURCE: Final = "trial-heuristic"
"""The source of every attestation that a trial takes from a dialogue. No other command accepts it."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Settings:
    """What `trial.toml` says.

    `now_us` is the trial's fixed time (microseconds since the epoch, UTC). `attestors` gives the role that attests each
    claim or confirmation; `confirmation` is the one that `--assume-confirmed` supplies. The roster holds the recorded
    agent under `proposer` in `role`, pinned to the model that each run names (`model` where a trace names none).
    `observer` is the person who puts on record that a recorded call moved a case the kernel would not have moved.
    """

    folder: Path
    now_us: int
    world: Path
    data: tuple[Path, ...]
    proposer: str
    role: str
    model: str
    observer: str
    attestors: dict[str, str]
    confirmation: str | None
    principals: tuple[Principal, ...]
    mandates: tuple[Mandate, ...]

    def roster(self, model: str) -> Roster:
        """Return the roster of a run that this model made."""
        agent = Principal(self.proposer, (self.role,), model)
        return Roster((agent, *self.principals), self.mandates)


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Proposer(_Table):
    id: str
    role: str
    model: str = "ground-truth"


class _Principal(_Table):
    id: str
    roles: list[str]


class _Mandate(_Table):
    id: str
    principal: str
    role: str
    machine: str
    transitions: list[str] = []
    starts: AwareDatetime
    ends: AwareDatetime


class _File(_Table):
    now: AwareDatetime
    world: str = "world.py"
    data: list[str] = []
    proposer: _Proposer
    observer: str
    attestors: dict[str, str] = Field(default_factory=dict)
    confirmation: str | None = None
    principals: list[_Principal] = []
    mandates: list[_Mandate] = []


def read_settings(spec: Path) -> Settings:
    """Read the settings beside a spec. Raises `CLIError` where they are missing or wrong."""
    path = spec.parent / SETTINGS_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        hint = "a trial needs one beside the spec: see docs/how-to/run-a-trial.md"
        raise CLIError(f"`{path}` can't be read: {(error.strerror or str(error)).lower()}", hint) from error
    try:
        file = _File.model_validate(tomllib.loads(content.decode("utf-8")))
        return _settings(path.parent, file)
    except UnicodeDecodeError as error:
        raise CLIError(f"`{path}` is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise CLIError(f"`{path}` is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise CLIError(f"`{path}`: `{where}`: {first['msg'].lower()}") from error
    except ValueError as error:
        raise CLIError(f"`{path}`: {error}") from error


def _settings(folder: Path, file: _File) -> Settings:
    if file.observer not in {row.id for row in file.principals}:
        raise ValueError(f"`observer` is `{file.observer}`, which is none of the `principals`")
    if file.confirmation is not None and file.confirmation not in file.attestors:
        raise ValueError(f"`confirmation` is `{file.confirmation}`, which `attestors` does not name")
    settings = Settings(
        folder=folder,
        now_us=_micros(file.now),
        world=folder / file.world,
        data=tuple(folder / entry for entry in file.data),
        proposer=file.proposer.id,
        role=file.proposer.role,
        model=file.proposer.model,
        observer=file.observer,
        attestors=file.attestors,
        confirmation=file.confirmation,
        principals=tuple(Principal(row.id, tuple(row.roles)) for row in file.principals),
        mandates=tuple(
            Mandate(
                id=row.id,
                principal=row.principal,
                role=row.role,
                machine=row.machine,
                transitions=tuple(row.transitions),
                starts=_micros(row.starts),
                ends=_micros(row.ends),
            )
            for row in file.mandates
        ),
    )
    settings.roster(settings.model)  # an id that stands twice is found here, not in the middle of a trial
    return settings


def check_settings(settings: Settings, machine: Machine) -> None:
    """Raise `CLIError` where the settings name something that the machine does not have."""
    path = settings.folder / SETTINGS_FILE
    people = [role for principal in settings.principals for role in principal.roles]
    for role in (settings.role, *settings.attestors.values(), *people):
        if role not in machine.index.roles:
            raise CLIError(f"`{path}` names the role `{role}`", f"the spec has {', '.join(machine.index.roles)}")
    for mandate in settings.mandates:
        if mandate.machine != machine.name:
            message = f"`{path}`: the mandate `{mandate.id}` is for the machine `{mandate.machine}`"
            raise CLIError(message, f"the spec's machine is `{machine.name}`")


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def find_data(settings: Settings, trace: Path, given: Path | None) -> Path:
    """Return the data folder: the one given, the trace's own, or the first of the settings' that is there.

    A data folder has a folder `db`. Raises `CLIError` where none is found.
    """
    if given is not None:
        if not (given / "db").is_dir():
            raise CLIError(f"`{given}` is no data folder: it has no folder `db`")
        return given
    for folder in (trace.parent, *settings.data):
        if (folder / "db").is_dir():
            return folder
    raise CLIError("no data folder with a `db` in it was found", "name one with --data")
