"""Laws, conformance and hostile-input tests."""

import os
from pathlib import Path

# Without a GPU, Triton's kernels run in its interpreter. Triton reads this when it is first imported, which other
# libraries do, so it stands before every import of the tests.
if not Path("/dev/nvidiactl").exists():
    os.environ["TRITON_INTERPRET"] = "1"
