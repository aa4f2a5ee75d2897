"""The addresses at which hosts look for the bridge."""

ADDRESS = "127.0.0.1"

DEFAULT_PORTS = (47613, 47614, 47615)
"""Ports that hosts try, in this order; Photoshop's manifest lists exactly these."""
