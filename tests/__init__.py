"""Laws, conformance and hostile-input tests."""

import os
from pathlib import Path

# One thread for torch: tests run many tiny operations, and on a busy machine the threads of each would wait for one
# another a thousand times longer than they work. Read when torch is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Without a GPU, Triton's kernels run in its interpreter. Triton reads this when it is first imported, which other
# libraries do, so it stands before every import of the tests.
if not Path("/dev/nvidiactl").exists():
    os.environ["TRITON_INTERPRET"] = "1"
