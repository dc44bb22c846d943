"""Other processors in software: QEMU's user mode, no administrator rights, no mounts."""
