"""The adaptive stage in plain Python, written for reading: the same float operations in the same order.

Only the coding of bands; begin and end of lines, integers throughout, are those of the runtime.
"""

from typing import Any

import numpy as np

from runtime.adaptive.column_correction import N_AROUND, N_MOMENTS
from runtime.adaptive.parameters import StageParameters
from runtime.adaptive.state import StageState

F32 = np.float32


def difference(value: float, other: float) -> Any:
    return F32(float(value) - float(other))


def regressors(p: StageParameters, s: StageState, z: int, x: int, network: Any) -> list[Any]:
    """Those that need no sample of this line and band."""
    n_lines = int(s.place[0])
    n_bands, n_columns = s.line.shape
    now, up, upper, means = s.line, s.line_before, s.line_before_that, s.means_now
    west, east = max(x - 1, 0), min(x + 1, n_columns - 1)

    def there(condition: bool, value: float, other: float) -> Any:
        return difference(value, other) if condition else F32(0)

    def mean(band: int) -> float:
        return float(means[band, x]) * (1.0 / 1024)

    later = n_lines > 0
    values = [
        there(later, mean(z), up[z, x]),
        there(later, up[z, west], up[z, x]),
        there(later, up[z, east], up[z, x]),
        there(n_lines > 1, upper[z, x], up[z, x]),
        there(later, means[z, east], means[z, x]) * F32(1.0 / 1024),
    ]
    if p.has_network:
        values += [there(later, network[x] * 0.5, up[z, x]), there(z > 0, s.network_error[x], 0)]
    for i in range(1, p.n_bands + 1):
        known, b = z >= i, max(z - i, 0)
        if later:
            values.append(there(known, now[b, x], up[b, x]))
        else:
            values.append(-there(known, now[b, west], now[b, x]))
        if i <= p.n_means:
            values.append(there(known and later, mean(b), up[b, x]))
        if i <= p.n_wests:
            values.append(there(known and later, now[b, west], up[b, x]))
        if i <= p.n_corners:
            values.append(there(known and later, up[b, west], up[b, x]))
            values.append(there(known and later, up[b, east], up[b, x]))
    for i in range(1, p.n_future + 1):
        b = min(z + i, n_bands - 1)
        values.append(there(z + i < n_bands and later, mean(b), up[b, x]))
    return values


def solved(p: StageParameters, moments: Any, prior: Any, share: float, orders: list[int]) -> list[list[float]]:
    """The weights for each order: elimination without exchange of the ridged moments, target in column N."""
    n = p.n_regressors
    places = packed_places(n, len(p.lanes))
    a = [[float(moments[at]) + share * float(prior[at]) for at in row] for row in places]
    a = [[0.0] * i + row[i:] for i, row in enumerate(a)]
    inverse = [0.0] * n
    limits = [a[i][i] / (1 << 30) for i in range(n)]
    for i in range(n):
        a[i][i] += a[i][i] / (1 << 16) + 1 / (1 << 10)
    for k in range(n):
        if a[k][k] > limits[k]:
            inverse[k] = 1.0 / a[k][k]
            for i in range(k + 1, n):
                factor = a[k][i] * inverse[k]
                if abs(factor) >= 2.0**-60:
                    for j in range(i, n + 1):
                        a[i][j] -= factor * a[k][j]
    solutions = []
    for order in orders:
        right, weights = [a[k][n] for k in range(n)], [0.0] * n
        for i in range(order - 1, -1, -1):
            weight = right[i] * inverse[i]
            if abs(weight) >= 2.0**-60:
                weights[i] = weight
                for k in range(i):
                    right[k] -= a[k][i] * weight
        solutions.append(weights)
    return solutions


def bounded(change: float) -> float:
    return min(max(change, -float(1 << 18)), float(1 << 18)) if abs(change) >= 2.0**-20 else 0.0


def quantised(sample: int, predicted: int, error: int) -> int:
    """The number of steps of 2m + 1 from the prediction to the step that holds the sample."""
    steps = (abs(sample - predicted) + error) // (2 * error + 1)
    return steps if sample >= predicted else -steps


def known_sample(index: int, predicted: int, error: int, smallest: int, largest: int) -> int:
    """The middle of the step within the range, drawn by half the error towards the prediction."""
    middle = min(max(predicted + index * (2 * error + 1), smallest), largest)
    return middle if index == 0 else middle - error // 2 if index > 0 else middle + error // 2


def mapped(index: int, doubled: int, error: int, smallest: int, largest: int) -> int:
    predicted, step = doubled >> 1, 2 * error + 1
    theta = min((predicted - smallest + error) // step, (largest - predicted + error) // step)
    if abs(index) > theta:
        return abs(index) + theta
    agrees = index == 0 or (index > 0) == (doubled % 2 == 0)
    return 2 * abs(index) - (not agrees)


def faded(values: Any, kept: float, added: Any) -> None:
    for i in range(len(values)):
        value = kept * float(values[i]) + float(added[i])
        values[i] = value if abs(value) >= 2.0**-40 else 0.0


def packed_places(n: int, width: int) -> list[list[int]]:
    """Where column 0 to N of each row of a packed triangle lie; a row begins with the eight columns of its diagonal."""
    places, begin = [], 0
    for i in range(n):
        first = i // 8 * 8
        places.append([begin + j - first for j in range(n + 1)])
        begin += width - first
    return places


def products_of(samples: list[list[Any]], shares: list[Any], n: int, width: int, size: int) -> Any:
    """Weighted sums of products in float32, four samples at a time."""
    sums, places = np.zeros(size, F32), packed_places(n, width)
    for first in range(0, len(samples), 4):
        rows = samples[first : first + 4] + [[F32(0)] * (n + 1)] * 3
        weights = shares[first : first + 4] + [F32(0)] * 3
        for i in range(n):
            a = [weights[q] * rows[q][i] for q in range(4)]
            for j in range(i, n + 1):
                pair = a[0] * rows[0][j] + a[1] * rows[1][j]
                sums[places[i][j]] += pair + (a[2] * rows[2][j] + a[3] * rows[3][j])
    return sums


def normalised(value: float, inverse: float) -> Any:
    return F32(min(max(value * inverse, -8.0), 8.0))


def around_of_column(s: StageState, z: int, x: int) -> list[Any]:
    """Errors around column `x` that are known before band `z` is coded; the first three come later."""
    now, north, north_of_north = s.column_errors
    last = len(s.trend) - 1
    below = now[z - 1, x] if z else F32(0)
    if z:
        s.trend[x] = F32(0.8) * s.trend[x] + F32(0.2) * below
    row = north[z]
    return [F32(0)] * 3 + [row[x], row[max(x - 1, 0)], row[min(x + 1, last)], north_of_north[z, x], below, s.trend[x]]


def column_solution(s: StageState, x: int) -> list[Any]:
    """Weights of column `x`: ridged least squares of the moments of it and its neighbours, in float32."""
    n, last = N_AROUND, len(s.trend) - 1
    m = s.column_moments[:, 1:]
    wide = [(m[p, max(x - 1, 0)] + m[p, x]) + m[p, min(x + 1, last)] for p in range(N_MOMENTS)]
    entries = iter(wide)
    a = [[F32(0)] * i + [next(entries) for _ in range(i, n + 1)] for i in range(n)]
    inverse = [F32(0)] * n
    for k in range(n):
        inverse[k] = F32(1) / (a[k][k] + F32(60))
        for i in range(k + 1, n):
            factor = a[k][i] * inverse[k]
            for j in range(i, n + 1):
                a[i][j] -= factor * a[k][j]
    weights = [F32(0)] * n
    for k in range(n - 1, -1, -1):
        right = a[k][n]
        for j in range(k + 1, n):
            right -= a[k][j] * weights[j]
        weights[k] = right * inverse[k]
    return weights


def teach_column(s: StageState, z: int, x: int) -> None:
    """Fade the moments of column `x` and add the products of this band."""
    target = min(max(s.column_errors[0, z, x], F32(-4)), F32(4))
    values = [*s.around[:, x], target]
    p = 0
    for i in range(N_AROUND):
        for j in range(i, N_AROUND + 1):
            moment = F32(0.98) * s.column_moments[p, x + 1] + values[i] * values[j]
            s.column_moments[p, x + 1] = moment if abs(moment) >= 2.0**-40 else F32(0)
            p += 1


def encode_band(
    p: StageParameters,
    s: StageState,
    samples: Any,
    z: int,
    network: Any,
    error: int,
    sample_range: tuple[int, int],
    out: Any,
    marks: Any,
) -> None:
    """As `runtime.adaptive.band.code_band` of an encoder."""
    smallest, largest = sample_range
    n, width, n_columns, n_lines = p.n_regressors, len(p.lanes), len(samples), int(s.place[0])
    others = [[F32(0)] * 3 + regressors(p, s, z, x, network) for x in range(n_columns)]
    if n_lines == 1:
        s.moments[z] = 0
    known = max(n_lines - 1, 0) * n_columns
    recent = [1 / 128] * p.n_mixed
    if p.has_correction:
        for x in range(n_columns):
            s.around[:, x] = around_of_column(s, z, x)
            s.column_weights[:, x] = column_solution(s, x)
            s.known_part[x] = F32(0)
            for k in range(3, N_AROUND):
                s.known_part[x] += s.column_weights[k, x] * s.around[k, x]
        s.error_total[0] = 0
    scale = float(s.scales[z])
    inverse = 1 / scale if scale > 0 else 0.0
    n_blocks = max(1, n_columns // p.block)
    for block in range(n_blocks):
        columns = range(block * n_columns // n_blocks, (block + 1) * n_columns // n_blocks)
        if known + columns.start < 1024 or s.unsolved[z] >= p.interval:
            share = 50.0 / (50.0 + float(known + columns.start))
            solutions: list[list[float]] = []
            for memory in range(p.n_memories):
                orders = [n, p.n_first] if memory == 1 else [n]
                solutions += solved(p, s.moments[z, memory], s.prior[memory], share, orders)
            s.weights[z], s.unsolved[z] = solutions, 0
        s.unsolved[z] += len(columns)
        targets, sizes, last_size = [], [], 0
        for x in columns:
            up, now = int(s.line_before[z, x]), s.line[z]
            base, west = up, int(now[x - 1]) if x else up
            step = west - base
            if n_lines == 0:
                west = int(now[x - 1]) if x else (int(s.line[z - 1, 0]) if z else (smallest + largest + 1) >> 1)
                base, step = west, (int(s.line[z - 1, x]) - west if z else 0)
            row = others[x]
            row[0], row[1] = F32(step), F32(int(now[x - 2]) - west if x > 1 else 0)
            row[2] = difference(float(s.means_now[z, x - 1]) * (1.0 / 1024), west) if x and n_lines else F32(0)
            changes = []
            for weights in s.weights[z]:
                total = F32(0)
                for j in range(3, n, 2):
                    pair = F32(weights[j]) * row[j]
                    total += pair + F32(weights[j + 1]) * row[j + 1] if j + 1 < n else pair
                near = (weights[0] * float(row[0]) + weights[1] * float(row[1])) + weights[2] * float(row[2])
                changes.append(bounded(float(total) + near))
            change = changes[0]
            if p.n_mixed == 3:
                e = [recent[k] + float(s.errors[z, k, x]) for k in range(3)]
                g = [e[1] * e[2], e[0] * e[2], e[0] * e[1]]
                g = [(v * v) * (v * v) for v in g]
                change = bounded(((g[0] * changes[0] + g[1] * changes[1]) + g[2] * changes[2]) / ((g[0] + g[1]) + g[2]))
            first_change = change
            if p.has_correction and n_lines:
                s.around[0, x] = s.column_errors[0, z, x - 1] if x else F32(0)
                s.around[1, x] = normalised(step - first_change, inverse)
                if p.has_network:
                    s.around[2, x] = normalised((0.5 * float(network[x]) - base) - first_change, inverse)
                w, u = s.column_weights[:, x], s.around[:, x]
                share = float(s.known_part[x] + ((w[0] * u[0] + w[1] * u[1]) + w[2] * u[2]))
                change = bounded(first_change + scale * share)
            doubled = min(max(int(np.floor(2.0 * change)) + 2 * base + 1, 2 * smallest), 2 * largest + 1)
            index = quantised(int(samples[x]), doubled >> 1, error)
            out[x] = mapped(index, doubled, error, smallest, largest)
            sample = known_sample(index, doubled >> 1, error, smallest, largest)
            if marks[x]:
                out[x], sample = 0, int(samples[x])
            now[x] = sample
            targets.append(F32(sample - base))
            if marks[x]:
                sizes.append(last_size + int(s.sizes[z, x]))
                if p.has_correction:
                    s.column_errors[0, z, x] = F32(0)
                    s.around[:, x] = F32(0)
                continue
            if p.has_correction:
                s.error_total[0] += abs(float(sample - base) - first_change)
                s.column_errors[0, z, x] = normalised(float(sample - base) - first_change, inverse)
            for k in range(p.n_mixed if p.n_mixed == 3 else 0):
                missed = float(sample - base) - changes[k]
                recent[k] = 0.75 * recent[k] + (missed * missed + 1 / 128)
                s.errors[z, k, x] = 0.75 * float(s.errors[z, k, x]) + (missed * missed + 1 / 128)
            sizes.append(last_size + int(s.sizes[z, x]))
            last_size = abs(sample - (doubled >> 1))
            s.sizes[z, x] = (int(s.sizes[z, x]) >> 1) + last_size
        taught = range(0, len(columns), p.step)
        below = s.sizes[z - 1] if z else np.zeros(n_columns, np.int32)
        shares = [F32(1.0 / ((float(sizes[i]) + float(below[columns[i]])) + (8.0 + 4.0 * error))) for i in taught]
        shares = [F32(0) if marks[columns[i]] else share for i, share in zip(taught, shares, strict=True)]
        sums = products_of([[*others[columns[i]], targets[i]] for i in taught], shares, n, width, s.moments.shape[2])
        for memory in range(p.n_memories):
            length = p.long_memory if memory == p.n_memories - 1 else p.short_memory
            faded(s.moments[z, memory], 1.0 - min(len(columns) / length, 0.5), sums)
    share = 50.0 / (50.0 + float(known + n_columns))
    for memory in range(p.n_memories):
        faded(s.prior[memory], share, s.moments[z, memory])
    if p.has_correction:
        for x in range(n_columns if n_lines else 0):
            teach_column(s, z, x)
        if n_learned := n_columns - int(np.count_nonzero(marks)):
            s.scales[z] += ((s.error_total[0] / n_learned + 0.25) - s.scales[z]) / min(n_lines + 1, 8)
    if p.has_network:
        s.network_error[:] = np.where(marks, 0, s.line[z] - (network >> 1))
