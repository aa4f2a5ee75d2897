"""Training of GazeShift's networks: attention, redirector, and their evaluation (needs torch)."""
