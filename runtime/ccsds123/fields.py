"""Header fields, most significant bit first: a writer and a reader of numbers of any width (5.3)."""

from collections.abc import Iterable

from runtime.errors import Corrupt, Truncated


class FieldWriter:
    """Collects fields into bytes."""

    def __init__(self) -> None:
        self._stored = bytearray()
        self._pending = 0
        self._n_pending = 0

    def put(self, value: int, n_bits: int) -> None:
        """Append `value` modulo 2**n_bits: a size of 2**n_bits is stored as 0, negatives as two's complement."""
        self._pending = (self._pending << n_bits) | (value & ((1 << n_bits) - 1))
        self._n_pending += n_bits
        n_whole, n_left = divmod(self._n_pending, 8)
        self._stored += (self._pending >> n_left).to_bytes(n_whole, "big")
        self._pending &= (1 << n_left) - 1
        self._n_pending = n_left

    def put_each(self, *fields: tuple[int, int]) -> None:
        """Append fields, each a value and its number of bits."""
        for value, n_bits in fields:
            self.put(value, n_bits)

    def put_all(self, values: Iterable[int], n_bits: int) -> None:
        """Append each of `values`, then zeros up to a whole byte."""
        for value in values:
            self.put(value, n_bits)
        self.fill()

    def fill(self) -> None:
        """Append zeros up to a whole byte."""
        self.put(0, -self._n_pending % 8)

    def to_bytes(self) -> bytes:
        """All fields so far, which must end at a whole byte."""
        assert self._n_pending == 0, "a header part ends at a whole byte"
        return bytes(self._stored)


class FieldReader:
    """Takes fields from untrusted bytes; errors name the field and where it lies."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = data
        self._position = 0

    @property
    def n_bytes(self) -> int:
        """Bytes consumed so far, the last one perhaps in part."""
        return (self._position + 7) // 8

    def require(self, n_bits: int, name: str) -> None:
        """Raise Truncated where fewer than `n_bits` bits are left."""
        n_left = len(self._data) * 8 - self._position
        if n_bits > n_left:
            raise Truncated(f"header: {name} needs {n_bits} bits at bit {self._position}, {n_left} are left")

    def take(self, n_bits: int, name: str) -> int:
        """The next `n_bits` as an unsigned number."""
        self.require(n_bits, name)
        end = self._position + n_bits
        window = int.from_bytes(self._data[self._position // 8 : (end + 7) // 8], "big")
        self._position = end
        return (window >> (-end % 8)) & ((1 << n_bits) - 1)

    def take_size(self, n_bits: int, name: str) -> int:
        """The next field, where 0 stands for 2**n_bits."""
        return self.take(n_bits, name) or 1 << n_bits

    def take_flag(self, name: str) -> bool:
        """The next bit."""
        return bool(self.take(1, name))

    def take_signed(self, n_bits: int, name: str) -> int:
        """The next `n_bits` as a two's complement number."""
        value = self.take(n_bits, name)
        return value - ((value >> (n_bits - 1)) << n_bits)

    def take_all(self, n_values: int, n_bits: int, name: str, *, signed: bool = False) -> tuple[int, ...]:
        """The next `n_values` fields and the fill after them; their room is checked before any is read."""
        self.require(n_values * n_bits, name)
        take = self.take_signed if signed else self.take
        values = tuple(take(n_bits, name) for _ in range(n_values))
        self.fill(name)
        return values

    def fill(self, name: str) -> None:
        """Skip to the next whole byte over bits that must be zero."""
        self.reserved(-self._position % 8, f"fill after {name}")

    def reserved(self, n_bits: int, name: str = "reserved field") -> None:
        """Skip bits that must be zero; Corrupt where they are not."""
        at = self._position
        value = self.take(n_bits, name)
        if value:
            raise Corrupt(f"header: {name} at bit {at} is {value}, allowed 0")
