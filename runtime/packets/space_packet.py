"""The Space Packet, CCSDS 133.0-B-2, of telemetry with a time: its primary and its secondary header.

Three numbers of 16 bits and a time are all that is used of it, so that what flies needs no library for them; the tests
hold them against `spacepackets`.
"""

import struct
from typing import NamedTuple

from runtime.errors import BadArgument

PRIMARY = struct.Struct(">HHH")  # identification, sequence control, bytes of the data field less 1 (clause 4.1.3)
TIME = struct.Struct(">BHI")  # CDS of CCSDS 301.0-B-4, clause 3.3: P-field, days since 1958-01-01, milliseconds
P_FIELD = 0x40  # CDS, days of 16 bits since 1958-01-01, no part below milliseconds
HAS_SECONDARY = 1 << 11  # beside version 0 and type 0, telemetry
LARGEST_APID = 2046  # 2047 is that of idle packets
LARGEST_PACKET = PRIMARY.size + (1 << 16)
COUNTS = 1 << 14  # of the sequence count
DAYS_1958_TO_1970 = 4383
DAY_MS = 86_400_000
CONTINUES, FIRST, LAST, ALONE = 0, 1, 2, 3  # sequence flags, clause 4.1.3.4.2.2


class PacketHead(NamedTuple):
    """What stands before the user data of a packet."""

    apid: int  # 0..2046
    flags: int  # Sequence flags, 0..3
    sequence: int  # Sequence count, 0..2^14 - 1
    time_ms: int  # Milliseconds since 1970-01-01 UTC, leap seconds left out, at least 0

    def to_bytes(self, n_user_bytes: int) -> bytes:
        """Both headers, before `n_user_bytes` of user data. Raises BadArgument."""
        n_data = TIME.size + n_user_bytes
        if not TIME.size < n_data <= LARGEST_PACKET - PRIMARY.size or not 0 <= self.apid <= LARGEST_APID:
            allowed = f"1..{LARGEST_PACKET - PRIMARY.size - TIME.size} and 0..{LARGEST_APID}"
            raise BadArgument(f"packet of {n_user_bytes} bytes with APID {self.apid}, allowed {allowed}")
        day, ms = divmod(self.time_ms, DAY_MS)
        if not 0 <= day + DAYS_1958_TO_1970 < 1 << 16:
            raise BadArgument(f"time of a packet: found {self.time_ms} ms, allowed from 1958 to 2137")
        primary = PRIMARY.pack(identification(self.apid), self.flags << 14 | self.sequence % COUNTS, n_data - 1)
        return primary + TIME.pack(P_FIELD, day + DAYS_1958_TO_1970, ms)

    @classmethod
    def from_bytes(cls, data: bytes, start: int = 0) -> tuple["PacketHead", int] | None:
        """The headers at a place, and where their packet ends; None: there is no packet of this kind."""
        if start + HEAD_BYTES > len(data):
            return None
        found, control, n_data = PRIMARY.unpack_from(data, start)
        p_field, day, ms = TIME.unpack_from(data, start + PRIMARY.size)
        if found & ~0x7FF != HAS_SECONDARY or p_field != P_FIELD or n_data + 1 < TIME.size or ms >= DAY_MS:
            return None
        time_ms = (day - DAYS_1958_TO_1970) * DAY_MS + ms
        return cls(found & 0x7FF, control >> 14, control & (COUNTS - 1), time_ms), start + PRIMARY.size + n_data + 1


HEAD_BYTES = PRIMARY.size + TIME.size


def identification(apid: int) -> int:
    """The first 16 bits of every packet of an APID."""
    return HAS_SECONDARY | apid
