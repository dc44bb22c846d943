"""What runs a cell, here or in another process, checked before it is trusted; nothing that knows an image."""
