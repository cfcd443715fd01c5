"""Pages of documentation as tests see them: their fenced blocks, and examples completed to whole files.

A block's first line says what a test does with it. Readers don't see it on the rendered page.

- `edca file=NAME`, `arp file=NAME`, … writes the file; with `append` it is added to the file's end.
- `sh` and `python` run in the page's folder; `sh exit=1` expects that exit code. A `text` block behind them is what
  they print; `…` in it stands for anything on one line, and alone on a line for any lines.
- `edca file=NAME` on a page whose parts are completed is a file that they may import.
- `edca` without a file holds declarations that complete, or replace those of the same name in, the page's spec;
  `edca clauses` holds clauses for its transition `approve`; `edca spec` is a whole file. `arp` is like `edca`.
  Names that a part declares and does not use (N014) are no mistake of it, unless it is marked `unused`.
- `migration` is a map between the versions of `reference/maps.md`; `edca old` completes the older one.
- `console` and everything else is only read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edca.diagnostics import Diagnostic, Source
from edca.semantic.imports import File

DOCS = Path(__file__).resolve().parents[2] / "docs"

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^## +(.+)$", re.MULTILINE)
_HEADS = ("edca", "machine", "arp", "routes")
_IMPORT = "import"
_NAMELESS = ("case", "memory")
_TARGET = "approve"


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, its options, its text, and the line of the page on which it begins."""

    language: str
    options: dict[str, str]
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    found = []
    for fence in _FENCE.finditer(page):
        language, *options = fence["info"].split() or [""]
        pairs = dict((option.partition("=")[0], option.partition("=")[2]) for option in options)
        found.append(Block(language, pairs, fence["text"], page.count("\n", 0, fence.start()) + 1))
    return found


def sections(page: str) -> dict[str, str]:
    """Return the text below each heading of the second level, by heading."""
    parts = _SECTION.split(page)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def completed(base: str, example: Block) -> str:
    """Return the whole file that an example is a part of."""
    if "spec" in example.options:
        return example.text
    if "clauses" in example.options:
        return _with_clauses(base, example.text)
    return _with_declarations(base, example.text)


def reader(page: str) -> Callable[[str], File | None]:
    """Return what reads the files that a page's parts may import: its blocks with a file's name."""
    files = {block.options["file"]: block.text for block in blocks(page) if "file" in block.options}

    def read(path: str) -> File | None:
        return File(path, Source(path, files[path])) if path in files else None

    return read


def of_whole(example: Block, found: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """Return the findings without those about names that an example declares and leaves to its reader to use."""
    whole = "spec" in example.options or "unused" in example.options
    return found if whole else tuple(one for one in found if one.code.id != "N014")


def _with_declarations(base: str, part: str) -> str:
    new = _declarations(part)
    replaced = {key for key, _ in new}
    kept = [text for key, text in _declarations(base) if key not in replaced]
    heads = [text for key, text in new if key == ("head",)]
    imports = [text for key, text in new if key[0] == _IMPORT]
    rest = [text for key, text in new if key != ("head",) and key[0] != _IMPORT]
    at = 1 if heads or kept[0:1] else 0
    whole = [*heads, *kept]
    return "".join([*whole[:at], *imports, *whole[at:], *rest])


def _with_clauses(base: str, clauses: str) -> str:
    texts = []
    for key, text in _declarations(base):
        if key == ("transition", _TARGET):
            closing = text.rindex("}")
            texts.append(f"{text[:closing]}{clauses}{text[closing:]}")
        else:
            texts.append(text)
    return "".join(texts)


def _declarations(text: str) -> list[tuple[tuple[str, ...], str]]:
    """Return the declarations of a file, or of a part of one, with what they are known by."""
    found: list[tuple[tuple[str, ...], str]] = []
    for line in text.splitlines(keepends=True):
        words = re.findall(r"\w+", line)
        if not re.match("[a-z]", line):
            key, earlier = found.pop() if found else (("",), "")
            found.append((key, earlier + line))
        elif words[0] in _HEADS:
            head = found.pop()[1] if found and found[-1][0] == ("head",) else ""
            found.append((("head",), head + line))
        else:
            found.append(((words[0],) if words[0] in _NAMELESS else (words[0], *words[1:2]), line))
    return found


def compared(expected: str, actual: str) -> bool:
    """Tell whether output is as a page shows it, trailing space aside."""
    pattern = "\n".join(_pattern(line.rstrip()) for line in expected.rstrip().split("\n"))
    plain = "\n".join(line.rstrip() for line in actual.rstrip().split("\n"))
    return re.fullmatch(pattern, plain) is not None


def _pattern(line: str) -> str:
    return "(?s:.*)" if line.strip() == "…" else re.escape(line).replace("…", ".*")
