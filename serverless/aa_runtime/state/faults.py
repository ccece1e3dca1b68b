"""What can go wrong with a state."""


class StateError(Exception):
    """A token is refused; the words are for the caller."""


class DecodeError(StateError):
    """The bytes are no state of this function."""


class BudgetError(StateError):
    """A state, or all states of a request together, hold more than a worker takes on."""


class EncodeError(Exception):
    """A state holds something that has no encoding.

    `path` is the way from the state to it, as Python would write it: `state.model.cache['x']`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self._steps: list[str] = []

    def within(self, step: str) -> "EncodeError":
        """The same fault, seen from one level further out."""
        self._steps.append(step)
        return self

    @property
    def path(self) -> str:
        """Where in the state it stands: `state.memory[3]`."""
        return "state" + "".join(reversed(self._steps))

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class TooLargeError(EncodeError):
    """A state, or a part of it, exceeds a limit."""
