"""Goal: what the compiler says, and what it makes, are the same bytes in every process."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import hashlib, re
from pathlib import Path
from edca.diagnostics import Source, human
from edca.semantic.compile import compile_spec
for path in sorted([*Path("tests/corpus/check").glob("*.edca"), *Path("specs").glob("*/*.edca")]):
    prelude = Path("tests/corpus/check/prelude.txt").read_text("utf-8") if "check" in path.parts else ""
    for chunk in re.split(r"(?m)^---\\n", path.read_text("utf-8")):
        text = chunk if chunk.startswith("edca") else prelude + chunk
        compiled = compile_spec(Source(path.name, text))
        made = b"" if compiled.machine is None else compiled.machine.to_bytes()
        print(path.name, hashlib.sha256(human(compiled.diagnostics).encode() + made).hexdigest())
"""


def _run(seed: str, zone: str) -> str:
    roots = os.pathsep.join(str(ROOT / root) for root in ("kernel", "dsl", "semantic"))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": roots, "PYTHONHASHSEED": seed, "TZ": zone}
    run = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_findings_and_artefacts_do_not_depend_on_the_process() -> None:
    first = _run("0", "UTC")
    assert first.count("\n") > 30
    assert _run("4711", "America/St_Johns") == first
