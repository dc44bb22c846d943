"""What the recorder has ended goes to the ground by CFDP class 2, and the lines that were sent are there."""

import json
import threading
from pathlib import Path

import numpy as np

from runtime.packets.assembled_file import assemble
from runtime.target.flight_command import run
from tests.runtime.target.cfdp_link import send
from tests.runtime.target.recorded_frames import LINES, config_of, config_text, frame, read_back

APID = 9


def test_ended_files_come_down_by_cfdp(tmp_path: Path) -> None:
    (tmp_path / "frames").write_bytes(b"".join(map(frame, range(40))))
    text = config_text(tmp_path / "out", f'kind = "file"\npath = "{tmp_path / "frames"}"')
    text = text.replace("[output]\n", f"[packets]\napid = {APID}\npacket_bytes = 128\n[output]\nrotate_bytes = 500\n")
    run(config_of(text), threading.Event())

    events = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    ended = [one["file_ended"] for one in events if one.get("whole")]
    assert ended == sorted(path.name for path in (tmp_path / "out").glob("*.lrwk")) and len(ended) > 1
    ground, lines, n_lost, n_late = tmp_path / "ground", list[np.ndarray](), 0, 0
    ground.mkdir()
    for seed, name in enumerate(ended):
        stream = tmp_path / "out" / name
        for path in (stream, stream.with_suffix(".packets")):
            lost, late = send(path, ground / path.name, seed)
            n_lost, n_late = n_lost + lost, n_late + late
            assert (ground / path.name).read_bytes() == path.read_bytes()
        done = assemble([(ground / name).with_suffix(".packets")], tmp_path / "assembled", APID, None)
        assert not done.missing and (tmp_path / "assembled").read_bytes() == stream.read_bytes()
        lines += [line for _, line in sorted(read_back(ground / name)[0].items())]
    assert np.array_equal(lines, LINES)
    assert n_lost > 10 and n_late > 10
