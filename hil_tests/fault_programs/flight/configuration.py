"""The recorder's configuration for a flight, as a file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

APID, HOUSEKEEPING_APID = 77, 78
BUFFER_LINES = 96
NETWORK = "flight"
"""The form whose executor fails, and whose package is replaced."""
TRIAL_SEGMENTS = 2
FORMS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "best": (
        {"name": "rls best", "predictor": "rls"}, {"name": "rls fast", "predictor": "rls", "stage": "fast"},
        {"name": "ccsds123", "predictor": "ccsds123"}, {"name": "plain", "predictor": "plain"},
    ),
    "none": ({"name": "ccsds123", "predictor": "ccsds123"}, {"name": "plain", "predictor": "plain"}),
}  # fmt: skip
"""After the network, by its stage; `none` compiles in the shortest time."""


def tables(
    folder: Path, lines: Mapping[str, Any], port: int, downlink: int, *, stage: str, segment_lines: int,
    line_deadline: float, rotate_bytes: int, trust: Path | None,
) -> dict[str, Any]:  # fmt: skip
    """Of a recorder in `folder`, whose disk is `disk` there: lines come from `port`, packets go to `downlink`."""
    network = {
        "name": NETWORK, "stage": stage, "isolate": True, "line_deadline": line_deadline, "network": "always",
    }  # fmt: skip
    found: dict[str, Any] = {
        "buffer_lines": BUFFER_LINES,
        "source": {"kind": "tcp", "port": port},
        "lines": lines,
        "coding": {"segment_lines": segment_lines, "form": NETWORK},
        "forms": [network, *FORMS[stage]],
        "output": {"folder": str(folder / "disk"), "rotate_bytes": rotate_bytes},
        "packets": {"apid": APID, "packet_bytes": 1024},
        "downlink": {"port": downlink},
        "housekeeping": {"apid": HOUSEKEEPING_APID, "seconds": 0.5},
        "telemetry": {
            "file": str(folder / "telemetry.jsonl"), "status": str(folder / "status.json"), "seconds": 0.5,
        },
        "commands": {"socket": str(folder / "commands")},
    }  # fmt: skip
    if trust is not None:
        packages = {"folder": str(folder / "slots"), "trust": str(trust), "trial_segments": TRIAL_SEGMENTS}
        found["packages"] = packages
    return found


def toml_text(values: Mapping[str, Any]) -> str:
    """Tables of numbers, texts and lists, which JSON and TOML write alike."""
    plain = {key: value for key, value in values.items() if not isinstance(value, dict) and key != "forms"}
    parts = [table_text(plain)]
    for key, value in values.items():
        if isinstance(value, Mapping):
            parts.append(f"[{key}]\n{table_text(value)}")
    parts += [f"[[forms]]\n{table_text(one)}" for one in values["forms"]]
    return "\n".join(parts)


def table_text(values: Mapping[str, Any]) -> str:
    """The keys of one table."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
