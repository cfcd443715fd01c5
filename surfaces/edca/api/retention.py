"""Retention rules from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edca.runtime.retention_rules import RetentionClass, RetentionRules

if TYPE_CHECKING:
    import os


class RetentionError(ValueError):
    """The file holds no retention rules; the message says where and what is wrong."""


class _Class(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1, max_length=100)
    machine: str
    states: list[str] = []
    days: int = Field(ge=0, le=36_500)


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    classes: list[_Class] = []
    outside_days: int | None = Field(default=None, ge=0, le=36_500)


def load_retention(path: str | os.PathLike[str]) -> RetentionRules:
    """Read the rules of a file. Raises `RetentionError` for one that holds none, and `OSError`."""
    try:
        read = _Rules.model_validate(tomllib.loads(Path(path).read_text("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RetentionError(f"`{path}`: `{where}`: {first['msg'].lower()}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RetentionError(f"`{path}` is no TOML: {error}") from error
    classes = tuple(RetentionClass(one.name, one.machine, tuple(one.states), one.days) for one in read.classes)
    return RetentionRules(classes, read.outside_days)
