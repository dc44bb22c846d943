"""What each benchmark answers, in a sentence of its own figures: how its page begins.

Every answer is a function of the record, so that a page can be written again from its JSON file, and no sentence can
say another figure than the table below it.
"""

from collections.abc import Callable, Iterable
from statistics import mean
from typing import Any

Record = dict[str, Any]
Row = dict[str, Any]


def span(values: Iterable[float]) -> str:
    """The smallest to the largest, three digits."""
    values = list(values)
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    return low if low == high else f"{low} to {high}"


def of(rows: list[Row], name: str, **wanted: Any) -> list[Any]:
    """A column of the rows that have all of the given values."""
    return [row[name] for row in rows if all(row[key] == value for key, value in wanted.items())]


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


def checkpoint(record: Record) -> str:
    """Validation scenes."""
    rows = record["rows"]
    scenes = ", ".join(
        f"{row['bits per sample']:.3f} on {row['scene']}" for row in rows if row["split"] == "validation"
    )
    return f"The float checkpoint takes {scenes}, bits per sample, scenes that it was not trained on."


def closing_line(record: Record) -> str:
    """The worst of all ways."""
    worst = max(record["rows"], key=lambda row: row["closing by median"])
    return (
        f"The line that closes a segment takes at most {worst['closing by median']:.3g} times the median line "
        f"({worst['way']}, {worst['scene']}); with the network and the stage `best` "
        f"{span(of(record['rows'], 'closing by median', way='linerwkv, best'))}."
    )


def cross_validation(record: Record) -> str:
    """The four folds of the recipe as it stands."""
    whole = {row["model"]: row["gain"] for row in record["rows"] if row["model"].count("-") == 2}
    folds = {model: gain for model, gain in whole.items() if model.startswith("fold")}
    others = [gain for model, gain in whole.items() if model not in folds]
    each = ", ".join(f"{gain:.4f} ({model})" for model, gain in sorted(folds.items()))
    unknown = f" On sensors that it has not seen it saves {mean(others):.3f}, seeds: {len(others)}." if others else ""
    return (
        f"On scenes that it has not seen the recipe's network saves {mean(folds.values()):.3f} bits per sample "
        f"against the stage alone, the mean of its {len(folds)} folds: {each}.{unknown}"
    )


def expected_scale(record: Record) -> str:
    """What the network would add."""
    gains = [row["gain by network"] for row in record["rows"]]
    return f"A size of the residual said by the network would save {span(gains)} bits per sample."


def features(record: Record) -> str:
    """Sizes of networks with the best stage."""
    rows = [row for row in record["rows"] if row["stage"] == "best"]
    scenes = ("enmap_potsdam_a", "hyspecnet_dt4950_x03110438")
    rates = [mean(row[scene] for scene in scenes) for row in rows if row["network"] != "none"]
    alone = mean(next(row for row in rows if row["network"] == "none")[scene] for scene in scenes)
    speeds = span(of([row for row in rows if row["network"] != "none"], "encode Ms/s"))
    return (
        f"Networks of all sizes take {span(rates)} bits per sample with the stage `best` on sensors not seen, at "
        f"{speeds} Msamples/s, where the stage alone takes {alone:.3g}."
    )


def filter_taps(record: Record) -> str:
    """Both, or one."""
    rows, name = record["rows"], "log2 residual, "
    scenes = [key for key in rows[0] if key.startswith(name)]
    said = [f"{row['output']} {mean(row[scene] for scene in scenes):.3f}" for row in rows]
    return f"Mean log2 residual of two scenes by what the network gives, the smaller the better: {', '.join(said)}."


def finetune(record: Record) -> str:
    """Own scene and the other one."""
    best = [row for row in record["rows"] if row["stage"] == "best"]
    trained = "fine-tuned on the first half of"
    own = span(row["gain"] for row in best if row["second half of"] == row[trained])
    other = span(row["gain"] for row in best if row["second half of"] not in row[trained])
    return (
        f"Before the stage `best`, fine-tuning on a scene's first half gains {own} bits per sample on its second half, "
        f"and {other} on another sensor's."
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


def network_choice(record: Record) -> str:
    """Where auto differs from the better."""
    rows = record["rows"]
    worst = max(row["auto, bpp"] - min(row["alone, bpp"], row["always, bpp"]) for row in rows)
    without = [row["scene"] for row in rows if row["segments with it"].startswith("0 ")]
    return (
        f"Left to choose, the encoder is at most {worst:.3f} bits per sample from the better of network and stage "
        f"alone; it leaves the network out of {' and '.join(without) or 'no scene'}."
    )


def network_forms(record: Record) -> str:
    """The best form on scenes of a known sensor and its gain."""
    rows = record["rows"]
    none = next(row for row in rows if row["optimizer"] is None)
    scenes = ("abu_airport_3", "abu_urban_4")
    gains = {row["network"]: mean(none[s] - row[s] for s in scenes) for row in rows if row["optimizer"] == "muon, 0.02"}
    best, built = max(gains, key=lambda name: gains[name]), "C: group of 8, 64 and 24"
    macs = {row["network"]: row["MAC a sample"] for row in rows}
    return (
        f"After equal steps the best form on sensors that it knows is `{best}`, {gains[best]:.3f} bits better than the "
        f"stage alone; `{built}`, with {macs[built] / macs[best]:.2f} of its operations, gains {gains[built]:.3f}."
    )


def packet_loss(record: Record) -> str:
    """Lines lost by segment length, and which packets cost least."""
    rows = [row for row in record["rows"] if row["packet bytes"] == 4096]
    said = "; ".join(f"{row['segment lines']} lines: {row['lines, packets 0.01 % lost']} %" for row in rows)
    sent = [row for row in record["rows"] if row["segment lines"] == rows[-1]["segment lines"]]
    worst = {row["packet bytes"]: max(v for key, v in row.items() if key.startswith("sent in all")) for row in sent}
    best = min(worst, key=lambda size: worst[size])
    return (
        f"With 0.01 % of packets of 4096 bytes lost and none sent again, lines lost by the length of segments: {said}; "
        f"packets of {best} bytes cost least in headers and repeats, {worst[best]} % at most."
    )


def prior_two_bands(record: Record) -> str:
    """Cost of all."""
    rows = record["rows"]
    prior, ties = (span(of(rows, name)) for name in ("prior alone", "and all ties of the predictor"))
    return (
        "A band that knows nothing of the band before it but its samples costs "
        f"{ties} bits per sample ({prior} for the prior alone)."
    )


def real_time(record: Record) -> str:
    """One and two threads against EnMAP."""
    rows = [row for row in record["rows"] if str(row["threads"]) == "2"]
    said = "; ".join(f"{row['form']}: {row['EnMAP'].split('(')[1].rstrip(')')}" for row in rows)
    return f"The share of EnMAP's line rate that two cores of this machine code is: {said}."


def segment_lines(record: Record) -> str:
    """64 lines against one segment."""
    rows = record["rows"]
    lost = [row["64 lines"] - row["one segment"] for row in rows]
    less = [row["16 lines"] - row["64 lines"] for row in rows]
    return (
        f"Segments of 64 lines cost {span(lost)} bits per sample against one segment a scene; "
        f"those of 16 lines {span(less)} more."
    )


def simulated_training(record: Record) -> str:
    """With and without simulated scenes."""
    real, mixed = record["rows"]
    scenes = [name for name in real if name not in ("trained on", "scenes", "steps")]
    lost = [mixed[name] - real[name] for name in scenes]
    return (
        "With simulated scenes in the training the loss is "
        f"{span(lost)} bits larger on the {len(scenes)} scenes that were not trained on."
    )


def special_values(record: Record) -> str:
    """Saved on masked and clipped scenes."""
    clipped, masked = (
        span(row["saved"] for row in record["rows"] if row["variant"] == f"{kind} 10%")
        for kind in ("clipped", "masked")
    )
    return (
        f"Flags of special values save {clipped} bits per sample where 10 % of the samples are clipped and {masked} "
        f"where 10 % are masked; at worst they lose {record['most_lost']}."
    )


def random_access(record: Record) -> str:
    """The dearest slice."""
    return (
        f"A slice costs {span(of(record['rows'], 'ratio'))} times what the segments that it touches cost, "
        f"at most {record['limit_of_ratio']} is allowed."
    )


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


def training_step(record: Record) -> str:
    """The preset that is shipped first."""
    rows = record["rows"]
    said = "; ".join(
        f"{preset}: {span(of(rows, 'msamples_per_s', preset=preset))}"
        for preset in dict.fromkeys(row["preset"] for row in rows)
    )
    return f"Msamples/s that a training step takes in, by preset: {said}."


def form_rule(record: Record) -> str:
    """Drops of the rule as it is, and of the others."""
    own = [row for row in record["rows"] if row["rule"] == "as it is"]
    dropped = {row["rule"]: 0 for row in record["rows"]}
    for row in record["rows"]:
        dropped[row["rule"]] += row["lines dropped"] if row["buffer lines"] == 512 else 0
    said = ", ".join(f"`{name}` {n}" for name, n in dropped.items() if name != "as it is")
    return (
        f"From {span(of(own, 'Msamples/s come'))} Msamples/s with bursts the rule drops "
        f"{sum(of(own, 'lines dropped', **{'buffer lines': 512}))} lines with a buffer of 512, of others {said}."
    )


def forms(record: Record) -> str:
    """What a network is worth, where it knows the sensor and where it does not."""
    found = {row["form"]: row for row in record["rows"]}
    known, other = (found["rls best"][name] - found["flight"][name] for name in ("known sensor", "other sensors"))
    slower = found["rls best"]["Msamples/s"] / found["flight"]["Msamples/s"]
    return (
        f"On scenes that it has not seen, `flight` takes {known:.2f} bits a sample less than `rls` where it knows the "
        f"sensor and {other:.2f} less where it does not, at {slower:.1f} times the time."
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


NO_PARTS = ("stage", "columns", "one solution, us", "whole, ns a sample")


ANSWERS: dict[str, Callable[[Record], str]] = {
    one.__name__: one
    for one in (
        adaptive_speed, against, archive, bank_step, cell_step, checkpoint, closing_line, cross_validation,
        expected_scale, features, filter_taps, finetune, flight_profile, form_rule, forms, golomb_speed, guard,
        int8_line, kernels_ahead, network_choice, network_forms, packet_loss, prior_two_bands, random_access,
        real_time, segment_lines, simulated_training, special_values, stage_parts, start, threads, training_step,
    )
}  # fmt: skip
"""By the name of a result, or its beginning: `checkpoint` answers for `checkpoint_paper`."""


def begin_of(name: str) -> str | None:
    """The key of ANSWERS for a result."""
    return next((begin for begin in ANSWERS if f"{name}_".startswith(f"{begin}_")), None)


def is_answered(name: str) -> bool:
    """Whether a result has a sentence, and so a page of `benchmarks.harness.page`."""
    return begin_of(name) is not None


def answer(name: str, record: Record) -> str:
    """The sentence of a result. Raises KeyError for one that answers nothing."""
    return ANSWERS[begin_of(name) or name](record)
