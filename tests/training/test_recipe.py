from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gazeshift_training.recipe import fill_recipe, read_recipe, recipe_as_mapping


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5
    sizes: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class Outer:
    name: str = "x"
    steps: int = 3
    inner: Inner = field(default_factory=Inner)


def test_what_is_left_out_keeps_its_default(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("steps: 7\ninner:\n  rate: 2\n  sizes: [4]\n")
    assert read_recipe(path, Outer()) == Outer(steps=7, inner=Inner(rate=2.0, sizes=(4,)))


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("")
    assert read_recipe(path, Outer()) == Outer()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stesp": 7}, "'stesp' is not known"),
        ({"inner": {"speed": 1}}, "'inner.speed' is not known"),
        ({"steps": 1.5}, "'steps' must be int"),
        ({"steps": True}, "'steps' must be int"),
        ({"inner": {"rate": "fast"}}, "'inner.rate' must be float"),
        ({"inner": {"sizes": [1, "a"]}}, "'inner.sizes' must be int"),
        ({"inner": 3}, "needs keys and values"),
    ],
)
def test_mistakes_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fill_recipe(Outer(), values)


def test_a_recipe_survives_plain_data() -> None:
    recipe = Outer(steps=9, inner=Inner(sizes=(7, 8)))
    assert fill_recipe(Outer(), recipe_as_mapping(recipe)) == recipe
