"""The answers of benchmarks of bits and lines: what a network, an option or a rule is worth."""

from statistics import mean

from benchmarks.harness.answer_words import Record, of, span


def checkpoint(record: Record) -> str:
    """Validation scenes."""
    rows = record["rows"]
    scenes = ", ".join(
        f"{row['bits per sample']:.3f} on {row['scene']}" for row in rows if row["split"] == "validation"
    )
    return f"The float checkpoint takes {scenes}, bits per sample, scenes that it was not trained on."


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


def flown_rule(record: Record) -> str:
    """Whether the rule does in flight what its simulation says."""
    rows = record["rows"]
    farthest = max(rows, key=lambda one: abs(one["lines, %, flown"] - one["lines, %, simulated"]))
    fill = record["largest fill"]
    return (
        f"In flight the buffer was {100 * fill['flown']:.0f} % full at most, {100 * fill['simulated']:.0f} % in the "
        f"simulation of the same lines; the form whose share differs most is `{farthest['form']}`: "
        f"{farthest['lines, %, flown']} % of the lines flown, {farthest['lines, %, simulated']} % simulated."
    )


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
