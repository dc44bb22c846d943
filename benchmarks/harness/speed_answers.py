"""The answers of benchmarks of time and memory."""

from benchmarks.harness.answer_words import Record, of, span

NO_PARTS = ("stage", "columns", "one solution, us", "whole, ns a sample")


def adaptive_speed(record: Record) -> str:
    """Fast and best, from samples to bytes and back."""
    said = [
        f"`{stage}` encodes {span(of(record['rows'], 'encode Ms/s', stage=stage))} Msamples/s and decodes "
        f"{span(of(record['rows'], 'decode Ms/s', stage=stage))}"
        for stage in ("fast", "best")
    ]
    return f"The adaptive stage alone, with its coder, on one core: {', '.join(said)}."


def against(record: Record) -> str:
    """New by old."""
    rows = record["rows"]
    ratios = span(row["new / old"] for row in rows if "Msamples/s" in row["what"])
    return f"The new checkout is {ratios} times as fast as the old one, depending on columns, stage and direction."


def archive(record: Record) -> str:
    """Two workers, and the plan."""
    plan = " and ".join(
        f"{row['s'] / 3600:.3g} hours on {row['workers']} workers"
        for row in record["rows"] if row["what"] == "calculated"
    )  # fmt: skip
    return (
        f"Two workers of Dask are {record['ratio']:.3g} times as fast as one; calculated from these times, not "
        f"measured, {of(record['rows'], 'files', what='calculated')[0]:,} scenes take {plan}."
    )


def bank_step(record: Record) -> str:
    """The fastest form of a step."""
    rows = record["rows"]
    best, slowest = max(rows, key=lambda row: row["msamples_per_s"]), min(rows, key=lambda row: row["msamples_per_s"])
    compiled = "compiled" if best["compiled"] else "not compiled"
    return (
        f"A training step from the bank takes in {best['msamples_per_s']:.4g} Msamples/s in {best['precision']}, "
        f"{compiled}; the slowest form, {slowest['precision']}, {slowest['msamples_per_s']:.4g}."
    )


def cell_step(record: Record) -> str:
    """The master graph and the best form for each shape."""
    rows = record["rows"]
    said = []
    for group, features in dict.fromkeys((row["group"], row["features"]) for row in rows):
        own = [row for row in rows if (row["group"], row["features"]) == (group, features)]
        master, best = max(of(own, "Msamples/s", form="master")), max(own, key=lambda row: row["Msamples/s"])
        shape, fastest = f"groups of {group} with {features} features", f"{best['form']}: {best['Msamples/s']:.3g}"
        said.append(f"{shape} {master:.3g} Msamples/s ({fastest})")
    return f"The line part's step in ONNX Runtime, one thread, the package's own graph: {', '.join(said)}."


def closing_line(record: Record) -> str:
    """The worst of all ways."""
    worst = max(record["rows"], key=lambda row: row["closing by median"])
    return (
        f"The line that closes a segment takes at most {worst['closing by median']:.3g} times the median line "
        f"({worst['way']}, {worst['scene']}); with the network and the stage `best` "
        f"{span(of(record['rows'], 'closing by median', way='linerwkv, best'))}."
    )


def flight_profile(record: Record) -> str:
    """The largest part, plain and compiled."""
    rows = record["rows"]
    plain, compiled = (sum(of(rows, name)) for name in ("plain_ms", "compiled_ms"))
    most = max(rows, key=lambda row: row["compiled_share"])
    return (
        f"Compiled operations take a training step from {plain:.0f} to {compiled:.0f} ms; most of what is left is "
        f"{most['part']} ({100 * most['compiled_share']:.0f} %)."
    )


def golomb_speed(record: Record) -> str:
    """Both ways."""
    encode, decode = (span(of(record["rows"], "Msamples/s", way=way)) for way in ("encode", "decode"))
    return f"The sample-adaptive coder alone encodes {encode} Msamples/s and decodes {decode} on one core."


def guard(record: Record) -> str:
    """Cost of each way."""
    cpu = {row["way"]: row["CPU by as it is"] for row in record["rows"]}
    found = record["flipped_weights"]
    return (
        f"`--guard checks` costs {cpu['--guard checks']:.2f} times the processor time, `--guard proof` "
        f"{cpu['--guard proof']:.2f}; of {found['flips']} flipped weights the self-test finds "
        f"{found['found by the self-test']}, and {found['not found, streams differ']} unfound ones change a stream."
    )


def int8_line(record: Record) -> str:
    """Lines of 1000 columns."""
    said = []
    for package in dict.fromkeys(row["package"] for row in record["rows"]):
        own = [row for row in record["rows"] if row["package"] == package and row["columns"] == 1000]
        stages = ", ".join(
            f"{row['encoding Msamples/s']:.2f} and {row['decoding Msamples/s']:.2f} with stage {row['adaptive stage']}"
            for row in own
        )
        said.append(f"`{package}` {stages}")
    return (
        "Msamples/s on one core, encoding and decoding, lines of 224 bands x 1000 columns, without the entropy coder: "
        f"{'; '.join(said)}."
    )


def kernels_ahead(record: Record) -> str:
    """The module against the cache."""
    cached, module = (
        next(row for row in record["rows"] if row["what"] == "code_line" and row["way"] == way)
        for way in ("from the cache", "extension module")
    )
    ratio = module["ns a sample"] / cached["ns a sample"]
    return (
        f"A kernel in an extension module is there after {module['first coding s']:.3f} s where the cache takes "
        f"{cached['first coding s']:.3f} s, and takes {ratio:.2f} times the time of a sample, with equal residuals."
    )


def live_threads(record: Record) -> str:
    """The ratio of each form, and its limit."""
    said = "; ".join(
        f"{row['form']}: {row['ratio']:.3g} ({row['limit of the parts']:.3g})" for row in record["rows"]
    )  # fmt: skip
    return f"Live lines on two threads by one, in brackets what their parts allow: {said}."


def line_latency(record: Record) -> str:
    """Every form."""
    said = "; ".join(
        f"{row['form']}, {row['threads']} thread{'s' if row['threads'] > 1 else ''}: {row['median ms']:.3g}, "
        f"{row['99.9 % ms']:.3g}, {row['largest ms']:.3g}"
        for row in record["rows"]
    )
    return f"Median, 99.9 % and largest wall time of a line, in ms: {said}."


def random_access(record: Record) -> str:
    """The dearest slice."""
    return (
        f"A slice costs {span(of(record['rows'], 'ratio'))} times what the segments that it touches cost, "
        f"at most {record['limit_of_ratio']} is allowed."
    )


def real_time(record: Record) -> str:
    """Two threads here and one on the emulated board against EnMAP."""

    def shares(threads: str) -> str:
        rows = [row for row in record["rows"] if str(row["threads"]) == threads]
        return "; ".join(f"{row['form']}: {row['EnMAP'].split('(')[1].rstrip(')')}" for row in rows)

    return (
        f"The share of EnMAP's line rate that two cores of this machine code is: {shares('2')}. Of one core of the "
        f"emulated aarch64 machine, whose times predict no board: {shares('1, emulated aarch64')}."
    )


def stage_parts(record: Record) -> str:
    """The three largest parts at each end of the widths."""
    said = []
    for row in record["rows"]:
        if row["columns"] in (25, 800):
            parts = {name: value for name, value in row.items() if name not in NO_PARTS}
            largest = sorted(parts, key=lambda name: -parts[name])[:3]
            shares = ", ".join(f"{name} {parts[name] / row['whole, ns a sample']:.0%}" for name in largest)
            said.append(f"`{row['stage']}` at {row['columns']} columns: {shares}")
    return f"The largest parts of a sample's time are: {'; '.join(said)}."


def start(record: Record) -> str:
    """Warm and cold."""
    rows = record["rows"]
    cold = "; ".join(f"{row['form']}: {row['cold s']:.3g}" for row in rows)
    return f"A command codes its first line after {span(of(rows, 'warm s'))} s; without compiled kernels, in s, {cold}."


def threads(record: Record) -> str:
    """Files, encoding."""
    rows = [row for row in record["rows"] if row["way"] == "file, encoding"]
    said = "; ".join(f"{row['form']}: {row['Msamples/s, 1']:.3g} and {row['Msamples/s, 2']:.3g}" for row in rows)
    return f"Encoding of files with the entropy coder, Msamples/s on one thread and on two: {said}."


def two_images(record: Record) -> str:
    """New by old on two threads."""
    speeds = {(row["checkout"], row["way"]): row["Msamples/s"] for row in record["rows"]}
    side_by_side = "two images side by side, 2 threads"
    before, now = speeds["old", side_by_side], speeds["new", "one image, 2 threads"]
    return (
        f"One image on two threads is coded by `ccsds123` {now / before:.2f} times as fast as two images side by side "
        f"were at {record['old_commit']}: {now:.3g} and {before:.3g} Msamples/s."
    )


def training_step(record: Record) -> str:
    """The preset that is shipped first."""
    rows = record["rows"]
    said = "; ".join(
        f"{preset}: {span(of(rows, 'msamples_per_s', preset=preset))}"
        for preset in dict.fromkeys(row["preset"] for row in rows)
    )
    return f"Msamples/s that a training step takes in, by preset: {said}."
