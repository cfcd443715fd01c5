"""Goal: `edca render` and `edca graph` write what was asked for where it was asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

Edca = Callable[..., Any]  # see conftest.py


@pytest.fixture
def spec(theatre: Path) -> Path:
    """A spec without mistakes."""
    return theatre / "seats.edca"


class TestRender:
    """`edca render`."""

    def test_markdown_goes_to_stdout(self, edca: Edca, spec: Path) -> None:
        ran = edca("render", spec)
        assert ran.code == 0 and ran.out.startswith("# seats, version 1.0.0\n")
        assert edca("render", spec).out == ran.out

    def test_the_file_says_how_it_is_written(self, edca: Edca, spec: Path, tmp_path: Path) -> None:
        ran = edca("render", spec, "-o", tmp_path / "page.html")
        assert (ran.code, ran.out) == (0, "")
        page = (tmp_path / "page.html").read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>") and "<svg" in page
        edca("render", spec, "-o", tmp_path / "page.html", "--format", "markdown")
        assert (tmp_path / "page.html").read_text(encoding="utf-8") == edca("render", spec).out

    def test_the_page_names_the_digest(self, edca: Edca, spec: Path) -> None:
        document = edca("render", spec, "--json").json
        assert document["digest"] == edca("compile", spec, "--json").json["digest"]
        assert document["digest"] in document["text"] and document["format"] == "markdown"

    def test_against_an_older_version(self, edca: Edca, spec: Path, tmp_path: Path) -> None:
        old = tmp_path / "old.edca"
        old.write_text(spec.read_text(encoding="utf-8").replace("within 30", "within 20"), encoding="utf-8")
        ran = edca("render", "--against", old, spec)
        assert ran.code == 0 and "no older than 20 minutes" in ran.out and "no older than 30 minutes" in ran.out
        document = edca("render", "--against", old, spec, "--json").json
        assert [one["kind"] for one in document["changes"]] == ["machine", "transition"]
        assert document["changes"][1]["sentences"][0]["change"] == "changed"
        assert document["against"] != document["digest"]
        assert "No sentence differs" in edca("render", "--against", spec, spec).out

    def test_a_spec_with_mistakes_is_not_rendered(self, edca: Edca, spec: Path) -> None:
        spec.write_text("edca 1\nmachine broken", encoding="utf-8")
        ran = edca("render", spec)
        assert (ran.code, ran.out) == (1, "") and "error[" in ran.err

    def test_what_can_t_be_written_is_an_error_of_use(self, edca: Edca, spec: Path, tmp_path: Path) -> None:
        ran = edca("render", spec, "-o", tmp_path / "nowhere" / "page.md")
        assert ran.code == 2 and "no such file" in ran.err


class TestGraph:
    """`edca graph`."""

    def test_every_format(self, edca: Edca, spec: Path, tmp_path: Path) -> None:
        assert edca("graph", spec).out.startswith("stateDiagram-v2\n")
        assert edca("graph", spec, "--format", "dot").out.startswith('digraph "seats" {\n')
        assert edca("graph", spec, "-o", tmp_path / "seats.svg").code == 0
        ElementTree.parse(tmp_path / "seats.svg")  # noqa: S314 -- our own text
        assert edca("graph", spec, "--format", "svg").out == (tmp_path / "seats.svg").read_text(encoding="utf-8")

    def test_the_document_holds_the_graph(self, edca: Edca, spec: Path) -> None:
        document = edca("graph", spec, "--json").json
        names = {state["name"] for state in document["states"]}
        assert document["edges"] and all({edge["from"], edge["to"]} <= names for edge in document["edges"])
        assert document["text"] == edca("graph", spec).out
