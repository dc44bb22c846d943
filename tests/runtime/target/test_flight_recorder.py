"""What a recorder writes of a file of lines: gaps, forms, rotation, quota, packets."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from runtime.codec.forms_encoder import FormsEncoder, loaded_forms
from runtime.errors import BadArgument
from runtime.images.raw_lines import describe_pipe
from runtime.packets.assembled_file import assemble
from runtime.packets.packet_scan import fragments
from runtime.target.flight_command import run
from runtime.target.flight_tables import OutputTable
from runtime.target.line_buffer import LineBuffer
from runtime.target.line_frames import LineFrames
from runtime.target.stream_files import StreamFiles
from tests.runtime.codec.test_coder_beside import thread_names
from tests.runtime.target.recorded_frames import LINES, config_of, config_text, frame, read_back, told


def recorded(folder: Path, data: bytes, more: str = "", **changes: str) -> list[Path]:
    """The recordings of a file of frames."""
    (folder.parent / "frames").write_bytes(data)
    text = config_text(folder, f'kind = "file"\npath = "{folder.parent / "frames"}"', more)
    for old, new in changes.items():
        text = text.replace(f"[{old}]\n", f"[{old}]\n{new}\n")
    run(config_of(text), threading.Event())
    return sorted(folder.glob("*.lrwk"))


def test_gaps_and_repeats_are_in_the_stream_and_in_telemetry(tmp_path: Path) -> None:
    sent = [0, 1, 1, 2, 5, 6, 7, 8, 9, 10]
    (path,) = recorded(tmp_path / "out", b"".join(map(frame, sent)))
    lines, gaps, segments = read_back(path)
    kept = sorted(set(sent))
    assert sorted(lines) == kept and all(np.array_equal(lines[y], LINES[y]) for y in kept)
    assert gaps == [(3, 2)]
    assert [one.header.first_line for one in segments] == [0, 5, 9]
    events = told(tmp_path / "out")
    assert [one["gap"] for one in events if "gap" in one] == [2]
    found = [(one["first_line"], one["form"]) for one in events if "segment" in one]
    assert found == [(0, "ccsds123"), (5, "ccsds123"), (9, "ccsds123")]
    end = events[-1]["ended"]
    assert (end["lines"], end["lost"], end["repeated"], end["dropped"]) == (9, 2, 1, 0)
    assert json.loads((tmp_path / "out.status").read_text())["lines"] == 9


@pytest.mark.parametrize("form", ["dpcm", "ccsds123"])
def test_threads_change_no_byte(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = thread_names(monkeypatch)
    data = b"".join(map(frame, range(40)))
    paths = [
        recorded(tmp_path / str(n), data, coding=f'form = "{form}"\nthreads = {n}', output="rotate_bytes = 300")
        for n in (1, 3)
    ]
    one, three = ([path.read_bytes() for path in found] for found in paths)
    assert one == three and len(one) > 3
    assert {name.partition("_")[0] for name in names} == {"MainThread", "linerwkv-0"}


def test_a_line_beyond_the_depth_is_a_gap(tmp_path: Path) -> None:
    bad = frame(2)[:8] + b"\xff" * (len(frame(2)) - 8)
    (path,) = recorded(tmp_path / "out", frame(0) + frame(1) + bad + frame(3))
    lines, gaps, _ = read_back(path)
    assert sorted(lines) == [0, 1, 3] and gaps == [(2, 1)]
    assert recorded(tmp_path / "none", bad) == []


def test_each_form_does_to_samples_beyond_the_depth_what_it_says(tmp_path: Path) -> None:
    text = config_text(tmp_path / "out", 'kind = "file"')
    config = config_of(text.replace('predictor = "ccsds123"', 'predictor = "ccsds123"\nout_of_range = "clip"'))
    image = describe_pipe(config.lines.layout(), config.lines.bit_depth)
    beyond = np.full_like(LINES[0], 1 << config.lines.bit_depth)
    with loaded_forms(image, config.made_forms(), [0]) as loaded:
        encoder = FormsEncoder(image, loaded, 0, 0)
        encoder.push(beyond)
        encoder.use(1, 0)
        with pytest.raises(BadArgument, match="line 1"):
            encoder.push(beyond)
        encoder.use(0, 0)
        encoder.push(beyond)
        assert encoder.codes.n_clipped == 2 * beyond.size


def test_streams_rotate_and_the_oldest_leave_for_the_quota(tmp_path: Path) -> None:
    data = b"".join(map(frame, range(40)))
    paths = recorded(tmp_path / "all", data, output="rotate_bytes = 300")
    assert len(paths) > 3
    lines = [line for path in paths for _, line in sorted(read_back(path)[0].items())]
    assert np.array_equal(lines, LINES)
    ends = [(one["file_ended"], one["bytes"], one["whole"]) for one in told(tmp_path / "all") if "file_ended" in one]
    assert ends == [(path.name, path.stat().st_size, True) for path in paths]
    sizes = [path.stat().st_size for path in paths]
    quota = sum(sizes[-2:]) + 50
    kept = recorded(tmp_path / "few", data, output=f"rotate_bytes = 300\nquota_bytes = {quota}")
    assert [path.name for path in kept] == [path.name for path in paths[-len(kept) :]] and 1 <= len(kept) <= 2
    assert np.array_equal(read_back(kept[-1])[0][0], read_back(paths[-1])[0][0])


def test_a_recording_that_somebody_took_away_is_no_error_of_the_quota(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "0000.lrwk").symlink_to(tmp_path / "taken")  # named by the folder, and not there any more
    files = StreamFiles(OutputTable(tmp_path / "out", quota_bytes=1000), None)
    files.begin()
    files.append(bytes(900))
    files.flush()
    files.append(bytes(101))
    for _ in range(3):  # each try counts the same
        with pytest.raises(BadArgument, match="would have 1001 bytes, the quota allows 1000"):
            files.flush()
    files.close(is_kept=False)


def test_packets_of_each_stream_give_it_again(tmp_path: Path) -> None:
    data = b"".join(map(frame, [*range(20), *range(25, 40)]))
    words = "[packets]\napid = 3\npacket_bytes = 128"
    paths = recorded(tmp_path / "both", data, words, output="rotate_bytes = 400")
    packets = sorted((tmp_path / "both").glob("*.packets"))
    assert [one.stem for one in packets] == [one.stem for one in paths] and len(paths) > 1
    names = []
    for path in paths:
        stream = next(iter({name for name in stream_names(packets) if name.startswith(f"{int(path.stem)}-")}))
        done = assemble(packets, tmp_path / "back", 3, stream)
        assert not done.missing and (tmp_path / "back").read_bytes() == path.read_bytes()
        names.append(done.stream)
    assert len(set(names)) == len(paths)


def stream_names(packets: list[Path]) -> set[str]:
    return {str(one.stream) for path in packets for one in fragments(path.read_bytes(), 3)}


def test_while_lines_pile_up_segments_are_cheaper(tmp_path: Path) -> None:
    """The source is far faster than the encoder: the buffer is full and the last form codes nearly all."""
    text = config_text(tmp_path / "out", f'kind = "file"\npath = "{tmp_path / "frames"}"')
    (tmp_path / "frames").write_bytes(b"".join(frame(y % 40, y) for y in range(2000)))
    run(config_of(text.replace("buffer_lines = 64", "buffer_lines = 8")), threading.Event())
    events = told(tmp_path / "out")
    forms = [one["form"] for one in events if "segment" in one]
    assert set(forms) <= {"ccsds123", "dpcm"} and "dpcm" in forms
    assert events[-1]["ended"]["lines"] == 2000 and events[-1]["ended"]["dropped"] == 0
    (path,) = (tmp_path / "out").glob("*.lrwk")
    predictors = {one.header.coding.predictor.name.lower() for one in read_back(path)[2]}
    assert predictors == set(forms)


def test_a_source_that_cannot_wait_drops_into_gaps() -> None:
    buffer, frames = LineBuffer(2), LineFrames(config_of(config_text(Path("x"), 'kind = "file"')).lines)
    data = iter([b"".join(map(frame, [0, 1, 2, 4, 5])), b""])
    for i, found in enumerate(frames.lines(lambda _: next(data))):
        buffer.put(found, can_wait=False)
        if i == 3:
            assert buffer.fill == 1 and buffer.take(0) is not None
    assert buffer.n_dropped == 2
    assert [found.n_lost for found in buffer.lines] == [0, 3]


def test_a_source_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=r"source .*nothing: No such file"):
        run(config_of(config_text(tmp_path / "out", f'kind = "file"\npath = "{tmp_path}/nothing"')), threading.Event())
