"""What `--help` of a verb ends with: lines that one can copy."""

EXAMPLES = {
    "": ("linerwkv demo --output demo_output", "linerwkv compress scene.hdr scene.lrwk", "linerwkv decompress --help"),
    "archive": (
        "linerwkv archive index *.lrwk -o archive.json",
        "linerwkv archive verify downlink/*.lrwk --json",
        "linerwkv archive transcode old/*.hdr -o streams",
    ),
    "ccsds123": (
        "linerwkv ccsds123 encode scene.hdr scene.123 --preset near-lossless",
        "linerwkv ccsds123 info scene.123",
        "linerwkv ccsds123 decode scene.123 restored.hdr",
    ),
    "compress": (
        "linerwkv compress scene.hdr scene.lrwk",
        "linerwkv compress scene.tif scene.lrwk --max-error 3 --nodata -9999",
        "linerwkv compress scene.hdr scene.lrwk --predictor rls --stage fast",
        "cat lines.bil | linerwkv compress - scene.lrwk --bands 224 --columns 1000 --bit-depth 14",
    ),
    "decompress": (
        "linerwkv decompress scene.lrwk restored.tif",
        "linerwkv decompress scene.lrwk part.tif --lines 1000:1064 --bands 5,12,20",
        "linerwkv decompress damaged.lrwk restored.hdr --salvage",
        "linerwkv decompress scene.lrwk restored.hdr --package mission/package",
    ),
    "demo": ("linerwkv demo --output demo_output --all",),
    "evaluate": ("linerwkv evaluate runs/flight/last.ckpt scene.hdr",),
    "export": (
        "linerwkv export runs/int8 -o package",
        "linerwkv export runs/int8 -o package --accelerator subgraphs --columns 1000",
    ),
    "finetune": ("linerwkv finetune flight mission/ -o mission_flight",),
    "hil": (
        "linerwkv hil run --board hil_tests/boards/local.toml --short",
        "linerwkv hil run --board hil_tests/boards/raspberry_pi_5.toml --dry-run",
        "linerwkv hil meters",
        "linerwkv hil report hil_output/report.json",
    ),
    "info": ("linerwkv info scene.lrwk", "linerwkv info scene.lrwk --json"),
    "operators": ("linerwkv operators package",),
    "pack-scenes": ("linerwkv pack-scenes model/configs/flight.toml packed",),
    "package": ("linerwkv package --help",),
    "packets": (
        "linerwkv packets pack scene.lrwk -o packets.bin",
        "linerwkv packets assemble packets.bin -o scene.lrwk",
    ),
    "paper": ("linerwkv paper --hyspecnet hyspecnet-11k --plan", "linerwkv paper --hyspecnet hyspecnet-11k"),
    "prepare": ("linerwkv prepare", "linerwkv prepare --all"),
    "quantize": ("linerwkv quantize runs/flight/last.ckpt -o runs/int8",),
    "quicklook": ("linerwkv quicklook scene.lrwk -o look.png --bands 40,25,10",),
    "record": ("linerwkv record recorder.toml",),
    "simulate": ("linerwkv simulate hypso1 scene.hdr -o raw",),
    "train": (
        "linerwkv train flight --scenes scenes/ --max-minutes 30",
        "linerwkv train flight --scenes scenes/ --resume",
    ),
    "train-flight": ("linerwkv train-flight flight --scenes scenes/ -o mission",),
    "verify": ("linerwkv verify", "linerwkv verify mission/package"),
}
"""By verb; the command itself is the empty one."""


def epilog(verb: str) -> str | None:
    """The end of a help text as click wants it; None for a verb without examples."""
    lines = EXAMPLES.get(verb)
    return None if lines is None else "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
