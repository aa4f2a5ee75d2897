"""What a network calls itself, whichever exporter wrote it."""

from __future__ import annotations

from gazeshift.sessions import Network


def name_of(network: Network) -> str | None:
    """Return the network's id and version; None if it tells neither.

    Raises
    ------
    ModelError
        If the file is missing, damaged or no network of this kind.
    """
    metadata = network.metadata
    words = (
        metadata.get("gazeshift.model_id", metadata.get("model_id")),
        metadata.get("gazeshift.version", metadata.get("model_version")),
    )
    return " ".join(word for word in words if word) or None
