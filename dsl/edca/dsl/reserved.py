"""Names that the grammar takes and that nobody could use: expressions would read them as words of the language.

Behind a `.` and before a `:` every word is a name. For the field of an entity that is enough, as it is always reached
with a `.`; a parameter or a memory field is named bare. A word that begins declarations can be named bare as an
argument of its own (`place(city, state)`), which is enough for a parameter.
"""

from collections.abc import Iterator

from edca.dsl import tree
from edca.dsl.words import DECLARATIONS, FUNCTIONS, RESERVED


def unusable_names(declaration: tree.Declaration) -> Iterator[tree.Name]:
    """The names in a declaration that no expression could refer to."""
    match declaration:
        case tree.TransitionDeclaration() | tree.QueryDeclaration():
            yield from (name for name in _reserved(declaration.parameters) if name.text not in DECLARATIONS)
        case tree.DefineDeclaration():
            yield from _called(declaration.name)
            yield from (name for name in _reserved(declaration.parameters) if name.text not in DECLARATIONS)
        case tree.MemoryDeclaration():
            yield from _reserved(declaration.members)
        case tree.TableDeclaration() | tree.RecordDeclaration():
            yield from _called(declaration.name)
        case _:
            # The others are named where no word of the language can stand.
            pass


def _reserved(members: tuple[tree.Parameter | tree.MemoryMember, ...]) -> Iterator[tree.Name]:
    return (member.name for member in members if member.name.text in RESERVED)


def _called(name: tree.Name) -> Iterator[tree.Name]:
    if name.text in FUNCTIONS:
        yield name
