"""Stands in for PyGTK, which GIMP 2.10's Python module asks for and never uses without a window."""


def require(version):
    pass
