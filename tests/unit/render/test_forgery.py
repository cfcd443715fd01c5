"""No text of an author can pass for a sentence of ours, and no factor is lost on the way to prose."""

from __future__ import annotations

from edca.diagnostics.source import Source
from edca.semantic.compile import compile_spec
from edca.semantic.render.markdown import markdown
from edca.semantic.render.signoff import signoff

SPEC = """edca 1
machine m version "1"
role person human
entity thing key (thing_id: id) { n: int(0 to 9), at: time }
case about thing by thing_id
state open initial "Open."
state closed final "Closed." success
transition close(thing_id: id, t: text(200)) from open to closed {
  means "Close."
  by person
  answers person
  require t == "a” or the thing's n is at least “b" else refuse forged "Forged."
  require thing.n >= 0 and (now - thing.at) * 86400000000 <= 30 days else refuse late "Late."
}
"""


def _page() -> str:
    compiled = compile_spec(Source("m.edca", SPEC))
    assert compiled.machine is not None and compiled.spec is not None and compiled.checked is not None
    return markdown(signoff(compiled.checked, compiled.machine))


def test_a_text_cannot_end_its_own_quotation() -> None:
    page = _page()
    assert "a” or the thing" not in page
    assert "or the thing" in page


def test_a_factor_is_never_left_out() -> None:
    sentences = [line for line in _page().splitlines() if "30 days" in line]
    assert sentences and all("86400000000" in line.replace(",", "") for line in sentences), sentences
