"""What the adaptive stage looks at and how much it remembers, for each of its options."""

from typing import NamedTuple

from runtime.errors import BadArgument
from runtime.stream.kinds import AdaptiveStage

N_SEQUENTIAL = 3  # Regressors that need samples west in the same band: west, west of it, slow mean west
N_OWN = 5  # Of the same band otherwise: slow mean, north-west, north-east, north of north, slow mean east
N_NETWORK = 2  # With a network: its prediction, and its error at the same column of the band before
ROW_LANES = 8  # Rows of regressors are padded to whole vectors of this many float32


class StageParameters(NamedTuple):
    """Of one option; every number is an integer, so that kernels take it as it is."""

    n_bands: int  # Bands before whose change from the line before is seen
    n_means: int  # Of these, how many also show their slow mean
    n_wests: int  # ... their sample west.
    n_corners: int  # ... their samples north-west and north-east in the line before.
    n_future: int  # Bands after, seen in the line before against their slow mean
    n_mixed: int  # 1, or 3 to mix: short memory, long memory, long memory with few regressors
    n_first: int  # Regressors of that smaller prediction
    short_memory: int  # Samples; only where three are mixed
    long_memory: int  # Samples
    block: int  # Samples from one addition to the moments to the next, about
    interval: int  # Samples from one solution to the next once a band is known
    step: int  # Every so many-th sample is learned from
    has_correction: int  # 1 where each column corrects the prediction: runtime/adaptive/column_correction.py
    has_network: int  # 1 where the predictions of a network are regressors too

    @property
    def n_memories(self) -> int:
        """Sets of moments a band."""
        return 1 if self.n_mixed == 1 else 2

    @property
    def n_regressors(self) -> int:
        """N."""
        before = self.n_bands + self.n_means + self.n_wests + 2 * self.n_corners
        return N_SEQUENTIAL + N_OWN + N_NETWORK * self.has_network + before + self.n_future

    @property
    def lanes(self) -> tuple[int, ...]:
        """A tuple as long as a row (N regressors, the target, padding: M); kernels are compiled for its length."""
        return (0,) * (-(-(self.n_regressors + 1) // ROW_LANES) * ROW_LANES)

    @property
    def mixed(self) -> tuple[int, ...]:
        """A tuple as long as the number of mixed predictions (K), for the same reason."""
        return (0,) * self.n_mixed


OPTIONS = {
    AdaptiveStage.FAST: StageParameters(
        n_bands=7, n_means=3, n_wests=3, n_corners=0, n_future=0, n_mixed=1, n_first=0, short_memory=0,
        long_memory=5000, block=96, interval=512, step=2, has_correction=0, has_network=0,
    ),
    AdaptiveStage.BEST: StageParameters(
        n_bands=20, n_means=10, n_wests=4, n_corners=1, n_future=1, n_mixed=3, n_first=14, short_memory=333,
        long_memory=5000, block=96, interval=384, step=1, has_correction=1,
        has_network=0,
    ),
}  # fmt: skip
"""Chosen by measurement: docs/decisions/0301-adaptive-stage.md."""


def stage_parameters(stage: AdaptiveStage, *, has_network: bool) -> StageParameters:
    """The parameters of an option. Raises BadArgument for `none`, which has none."""
    if stage not in OPTIONS:
        raise BadArgument(f"adaptive stage is {stage.name.lower()}, allowed fast or best")
    return OPTIONS[stage]._replace(has_network=int(has_network))
