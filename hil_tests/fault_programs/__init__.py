"""Programs that make faults on a target; they need the runtime only, and no wheel that flies holds them."""
