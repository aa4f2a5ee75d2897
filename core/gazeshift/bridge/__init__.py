"""The local bridge: an HTTP service on 127.0.0.1 through which host plug-ins use the core."""
