"""A configuration that cannot fly is told, key by key."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from runtime.errors import BadArgument
from runtime.target.flight_command import record
from tests.runtime.target.recorded_frames import config_of, config_text


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("bands = 3", "bands = 0", "key lines.bands: found 0, allowed int at least 1"),
        ('kind = "file"', 'kind = "udp"', None),
        ('kind = "file"', 'kind = "disk"', "key source.kind"),
        ('sync = "1acffc1d"', 'sync = "1"', "key lines.sync"),
        ("line_header = 8", "line_header = 6", "key lines.line_header: found 6 bytes, allowed 8"),
        ("counter_at = 4", "counter_at = 2", "key lines.counter_at"),
        ('name = "dpcm"', 'name = "ccsds123"', 'forms: found "ccsds123", "ccsds123"'),
        ('predictor = "dpcm"', 'predictor = "x"', "forms[1].predictor: found"),
        ("max_errors = [0, 2]", "max_errors = []", "key coding.max_errors: found none"),
        ("max_errors = [0, 2]", 'form = "x"', 'coding.form: found "x", allowed "auto", "ccsds123", "dpcm"'),
        ("buffer_lines = 64", "buffer_lines = 1", "key buffer_lines"),
        ("buffer_lines = 64", "[rule]\ncheaper_at = 0.1", "key rule.dearer_at"),
        ("buffer_lines = 64", "[packets]\nrecording = 3", "packets.recording"),
        ("buffer_lines = 64", "[downlink]\nport = 5", "downlink: found no table packets"),
        (
            "buffer_lines = 64",
            "[downlink]\nport = 5\n[packets]\npacket_bytes = 65508",
            "packet_bytes: found 65508",
        ),
        ("buffer_lines = 64", "[packets]\n[downlink]\nport = 0", "downlink.port"),
        ("buffer_lines = 64", "surprise = 1", "key surprise: not known"),
        ("bands = 3", "bands = 65537", "key lines.bands, columns, bit_depth, dtype: image: n_bands is 65537"),
        ('sync = "1acffc1d"', 'sync = " "', "key lines.sync: found ' '"),
        ("segment_lines = 4", "segment_lines = 65536", "key coding.segment_lines: found 65536"),
        ("max_errors = [0, 2]", "max_errors = [4096]", "key coding.max_errors: found 4096, allowed 0..2047"),
        ('name = "dpcm"', 'name = "a\\nb"\n"c\\nd" = 1', r'key forms[1]."c\nd": not known'),
    ],
)
def test_a_configuration_is_checked(tmp_path: Path, old: str, new: str, found: str | None) -> None:
    text = config_text(tmp_path / "out", 'kind = "file"').replace(old, new)
    (tmp_path / "c.toml").write_text(text)
    done = CliRunner().invoke(record, [str(tmp_path / "c.toml"), "--check"])
    if found is None:
        assert done.exit_code == 0, done.exception
        return
    assert isinstance(done.exception, BadArgument) and found in str(done.exception)


def test_udp_needs_a_sync_word(tmp_path: Path) -> None:
    text = config_text(tmp_path / "out", 'kind = "udp"').replace('sync = "1acffc1d"\n', "")
    with pytest.raises(BadArgument, match=r"lines\.sync: found none"):
        config_of(text)
