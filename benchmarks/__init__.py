"""One script per question; committed results under results/."""
