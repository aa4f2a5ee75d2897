"""Which photos and masks are worth training on: the paper's CoCoClutter rules."""
