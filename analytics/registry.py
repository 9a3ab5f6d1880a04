"""Extension by file: a package collects the constant that each of its modules exports."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType, ModuleType
from typing import Any, TypeVar

from analytics.errors import UnknownKeyError

T = TypeVar("T")


def import_all(package: ModuleType) -> list[ModuleType]:
    """Import every public module of a package, in name order."""
    return [
        import_module(f"{package.__name__}.{module.name}")
        for module in iter_modules(package.__path__)
        if not module.name.startswith("_")
    ]


def collect(package: ModuleType, constant: str, kind: type[T]) -> Mapping[str, T]:
    """Return {key: item} of the `constant` of every module in `package`.

    A module may export one item or a tuple of them. Raises TypeError where the constant is missing or of
    another type, and ValueError on a duplicate key, so that a faulty extension fails at import.
    """
    found: dict[str, T] = {}
    for module in import_all(package):
        exported = getattr(module, constant, None)
        for item in exported if isinstance(exported, tuple) else (exported,):
            if not isinstance(item, kind):
                raise TypeError(f"{module.__name__} must export {constant} of type {kind.__name__}, has {item!r}")
            key = _key(item)
            if key in found:
                raise ValueError(f"{module.__name__}: duplicate {constant} key {key!r}")
            found[key] = item
    return MappingProxyType(found)


def lookup(registry: Mapping[str, T], key: str, kind: str) -> T:
    """Return `registry[key]`; raises UnknownKeyError with the nearest known key."""
    try:
        return registry[key]
    except (KeyError, TypeError):  # TypeError: nothing that could be a key
        raise UnknownKeyError(kind, key, registry) from None


def _key(item: Any) -> str:
    return str(item.key)
