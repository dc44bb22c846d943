"""Files of images, in and out: the one place that reads and writes them; nothing that codes."""
