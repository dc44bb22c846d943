"""What happens when an executor fails or memory changes; nothing that knows a whole stream."""
