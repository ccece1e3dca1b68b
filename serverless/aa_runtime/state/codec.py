"""A state ↔ bytes."""

from typing import Any, NamedTuple

from aa_runtime.state.budget import Budget, Cost
from aa_runtime.state.classes import ClassTable
from aa_runtime.state.faults import BudgetError, DecodeError, TooLargeError
from aa_runtime.state.reader import Reader
from aa_runtime.state.wire import cost_of, pack, unpack
from aa_runtime.state.writer import Ways, Writer

_NO_CLASSES = ClassTable()


class Encoded(NamedTuple):
    """A state as bytes."""

    rows: bytes
    """Its structure."""
    bulk: bytes
    """What arrays and tensors are made of, one after another."""

    @property
    def cost(self) -> Cost:
        """What decoding takes. DecodeError for rows that are damaged."""
        return cost_of(self.rows)


class Codec:
    """A tagged encoding of plain data, within limits and without pickle.

    It knows None, bool, int of 64 bits, float, str, bytes, list, tuple, deque, dict, OrderedDict, set, numpy arrays
    and scalars of numbers, torch tensors; and of the classes in `table` enums, named tuples, and objects that are no
    more than their attributes. References to one list, dict, set, array, tensor or object stay references to one; what
    contains itself is refused. Views of one array's memory become arrays of their own. Objects are made without calling
    their class.
    """

    def __init__(self, table: ClassTable = _NO_CLASSES) -> None:
        self._table = table
        self._ways = Ways(table)

    def encode(self, value: Any) -> Encoded:
        """EncodeError names the first part that has no encoding; TooLargeError, of what `decode` would refuse."""
        encoded = self._encoded(value)
        try:
            Budget().spend(encoded.cost)
        except BudgetError as fault:
            raise TooLargeError(str(fault)) from None
        return encoded

    def heaviest(self, value: Any) -> str:
        """The path of the largest part of a state that is known to be encodable, for an error's text."""
        if isinstance(value, dict):
            parts = {f"state[{key!r:.40}]": part for key, part in value.items()}
        elif isinstance(value, (list, tuple)):
            parts = {f"state[{index}]": part for index, part in enumerate(value)}
        else:
            known = self._table.find(type(value))
            parts = {f"state.{name}": part for name, part in known.attributes(value).items()} if known else {}
        return max(parts, key=lambda path: sum(map(len, self._encoded(parts[path]))), default="state")

    def decode(self, encoded: Encoded) -> Any:
        """DecodeError for anything that `encode` did not make, or made of classes that have changed."""
        Budget().spend(encoded.cost)
        try:
            reader = Reader(unpack(encoded.rows), encoded.bulk, self._table)
            value = reader.read()
            reader.end()
        except (DecodeError, MemoryError):
            raise
        except Exception as fault:  # what libraries and keys raise for parts that make no sense
            raise DecodeError("damaged") from fault
        return value

    def _encoded(self, value: Any) -> Encoded:
        writer = Writer(self._ways)
        writer.write(value)
        classes = [part for name, attributes in writer.classes for part in (name, len(attributes), *attributes)]
        rows = pack(writer.tags, [len(writer.classes), *classes, *writer.scalars])
        return Encoded(rows, b"".join(writer.bulk))
