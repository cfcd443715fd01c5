"""What a store of one writer process says where several processes would have to agree."""

from contextlib import AbstractContextManager, nullcontext


class Alone:
    """Everything is this process's to carry out, and a commit sequences, so that a record's number is its index."""

    def holds(self, name: str) -> bool:
        """Tell whether this process may carry out what goes by that name: whatever it is."""
        return True

    def hold(self, name: str) -> bool:
        """Have it to this process, which it is anyway."""
        return True

    def let_go(self, name: str) -> None:
        """Leave it to others, of whom there are none."""

    def abandoned(self, prefix: str) -> tuple[str, ...]:
        """Return what others have left behind, who live no more: nothing."""
        return ()

    def whole(self) -> AbstractContextManager[None]:
        """Let reads be of all that is committed: here nothing else is ever to be seen."""
        return nullcontext()

    def number_at(self, index: int) -> int:
        """Return the number of the record at `index`, whether or not there is one."""
        return index
