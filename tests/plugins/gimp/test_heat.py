from heat import heat_rgba


def test_quiet_places_are_see_through_and_busy_ones_are_not() -> None:
    alphas = heat_rgba(bytes(range(256)))[3::4]
    assert alphas[0] == 0
    assert alphas[255] > 200
    assert list(alphas) == sorted(alphas)


def test_every_place_gets_four_bytes_in_its_order() -> None:
    coloured = heat_rgba(b"\x00\xff\x00")
    assert len(coloured) == 12
    assert coloured[:4] == coloured[8:] != coloured[4:8]


def test_brightness_grows_with_attention() -> None:
    coloured = heat_rgba(bytes([0, 64, 128, 192, 255]))
    sums = [sum(coloured[4 * place : 4 * place + 3]) for place in range(5)]
    assert sums == sorted(sums)
