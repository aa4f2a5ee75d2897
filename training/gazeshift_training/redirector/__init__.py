"""The redirector network: a photo and a mask go in, the edit's parameters come out."""
