"""The part of Python 2.7's urllib2 that the plug-in calls."""

from collections.abc import Mapping
from typing import Any, Protocol

class URLError(IOError): ...

class HTTPError(URLError):
    code: int
    def read(self) -> bytes: ...

class Request:
    def __init__(self, url: str, data: bytes, headers: Mapping[str, str]) -> None: ...

class ProxyHandler:
    def __init__(self, proxies: Mapping[str, str]) -> None: ...

class _Answer(Protocol):
    def read(self) -> bytes: ...

class _Opener:
    def open(self, request: Any, timeout: float) -> _Answer: ...

def build_opener(*handlers: ProxyHandler) -> _Opener: ...
