"""Lines to mapped residuals and back; nothing that writes bits."""
