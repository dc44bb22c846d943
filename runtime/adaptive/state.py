"""What the adaptive stage knows of a segment: the same in encoder and decoder after each line."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.adaptive.column_correction import N_AROUND, N_MOMENTS
from runtime.adaptive.parameters import StageParameters
from runtime.adaptive.products import packed_size
from runtime.adaptive.stripe_tilt import FAR_LAG, FAR_REACH, NEAR_REACH, n_details
from runtime.kernels.lanes import LANES

Ints = npt.NDArray[np.int64]
Samples = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

N_LINES, OFFSET, TILT = 0, 1, 2  # entries of `place`
ERROR_FLOOR = 1.0 / 128  # Squared sample units, added at every step: fading sums of squared errors never vanish


class StageState(NamedTuple):
    """Arrays that the stage changes in place; `initial_state` is their only maker."""

    place: Ints  # (3,): lines before this one; offset to the detector and tilt, in 1 / TILT_UNITS of a column
    line: Samples  # (Z, X), this line; bands that are coded already
    line_before: Samples  # (Z, X)
    line_before_that: Samples  # (Z, X)
    means: Samples  # (Z, X), slow means of detector elements in 1 / UNITS of a sample: runtime/adaptive/slow_means.py
    means_now: Samples  # (Z, X), the same below the columns of this line
    sizes: Samples  # (Z, X), fading sums over lines of the sizes of residuals
    details: Samples  # (FAR_LAG, S, X), of the last lines: runtime/adaptive/stripe_tilt.py
    near_sums: Ints  # (2 * NEAR_REACH + 2,), correlations and energy: runtime/adaptive/stripe_tilt.py
    far_sums: Ints  # (2 * FAR_REACH + 2,)
    moments: Floats  # (Z, memories, P), packed sums of products of regressors and target, fading
    prior: Floats  # (memories, P), those of the bands before in this line
    rows: Singles  # (M, S), work space: regressors of the band at hand, the target, zeros; columns beyond X stay finite
    weights: Floats  # (Z, K, N) of each mixed prediction
    unsolved: Ints  # (Z,), samples since the weights were solved for
    errors: Floats  # (Z, K, X), fading sums over lines of squared errors of each mixed prediction; else K = 0
    around: Singles
    """(N_AROUND, X), what the band at hand is corrected by: runtime/adaptive/column_correction.py. Like all but scales
    and error_total below, empty without a correction."""
    column_weights: Singles  # (N_AROUND, S), its weights; what lies beyond X means nothing
    known_part: Singles  # (X,), what they give before the band is coded
    column_moments: Singles  # (N_MOMENTS, S), sums over the bands before in this line; column x at x + 1, edges twice
    column_errors: Singles  # (3, Z, X), of the least squares in this line and the two before, in units of `scales`
    scales: Floats  # (Z,), mean error of each band, in sample units
    error_total: Floats  # (1,), sum of the errors of the band at hand
    trend: Singles  # (X,), fading mean over the bands before of the errors of this line
    network_error: Samples  # (X,), the sample less the network's prediction in the band before; zeros without a network


def initial_state(parameters: StageParameters, n_bands: int, n_columns: int) -> StageState:
    """The state before the first line of a segment."""
    n_regressors = parameters.n_regressors
    width = len(parameters.lanes)
    n_products = packed_size(n_regressors, width)
    n_padded = n_columns + 2 * LANES - n_columns % LANES
    n_corrected, n_solved = (n_columns, n_padded) if parameters.has_correction else (0, 0)
    n_compared = parameters.n_mixed if parameters.n_mixed > 1 else 0

    def zeros(*shape: int) -> Samples:
        return np.zeros(shape, np.int32)

    return StageState(
        place=np.zeros(3, np.int64),
        line=zeros(n_bands, n_columns),
        line_before=zeros(n_bands, n_columns),
        line_before_that=zeros(n_bands, n_columns),
        means=zeros(n_bands, n_columns),
        means_now=zeros(n_bands, n_columns),
        sizes=zeros(n_bands, n_columns),
        details=zeros(FAR_LAG, n_details(n_bands), n_columns),
        near_sums=np.zeros(2 * NEAR_REACH + 2, np.int64),
        far_sums=np.zeros(2 * FAR_REACH + 2, np.int64),
        moments=np.zeros((n_bands, parameters.n_memories, n_products)),
        prior=np.zeros((parameters.n_memories, n_products)),
        rows=np.zeros((width, n_padded), np.float32),
        weights=np.zeros((n_bands, parameters.n_mixed, n_regressors)),
        unsolved=np.zeros(n_bands, np.int64),
        errors=np.full((n_bands, n_compared, n_columns), ERROR_FLOOR),
        around=np.zeros((N_AROUND, n_corrected), np.float32),
        column_weights=np.zeros((N_AROUND, n_solved), np.float32),
        known_part=np.zeros(n_corrected, np.float32),
        column_moments=np.zeros((N_MOMENTS, n_solved), np.float32),
        column_errors=np.zeros((3, n_bands, n_corrected), np.float32),
        scales=np.zeros(n_bands),
        error_total=np.zeros(1),
        trend=np.zeros(n_corrected, np.float32),
        network_error=zeros(n_columns),
    )
