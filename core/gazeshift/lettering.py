"""Letters for the labels in pictures, the same on every machine, fonts or not.

The shapes are those of DejaVu Sans at 26 pixels, as 16 levels of coverage. DejaVu Sans changes
Bitstream Vera (copyright 2003 Bitstream, Inc.; Bitstream Vera is a trademark of Bitstream, Inc.);
its own changes are in the public domain, and its licence allows this use.
"""

from __future__ import annotations

import base64
import functools
import zlib

import numpy as np
from numpy.typing import NDArray

LINE_HEIGHT_PX = 32
"""Height of a line of letters in pixels."""

_LETTERS = (
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ["
    "\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\u00d7\u2192\u2013\u00b7\u2026"
)
_ADVANCES_PX = (
    8,
    10,
    12,
    22,
    17,
    25,
    20,
    7,
    10,
    10,
    13,
    22,
    8,
    9,
    8,
    9,
    17,
    17,
    17,
    17,
    17,
    17,
    17,
    17,
    17,
    17,
    9,
    9,
    22,
    22,
    22,
    14,
    26,
    18,
    18,
    18,
    20,
    16,
    15,
    20,
    20,
    8,
    8,
    17,
    14,
    22,
    19,
    20,
    16,
    20,
    18,
    16,
    16,
    19,
    18,
    26,
    18,
    16,
    18,
    10,
    9,
    10,
    22,
    13,
    13,
    16,
    16,
    14,
    16,
    16,
    9,
    16,
    16,
    7,
    7,
    15,
    7,
    25,
    16,
    16,
    16,
    16,
    11,
    14,
    10,
    16,
    15,
    21,
    15,
    15,
    14,
    17,
    9,
    17,
    22,
    22,
    22,
    13,
    8,
    26,
)


def draw_text(text: str) -> NDArray[np.float32]:
    """Draw one line.

    Parameters
    ----------
    text
        ASCII and ×, →, –, ·, …; any other character becomes a question mark.

    Returns
    -------
    NDArray[np.float32]
        Shape (LINE_HEIGHT_PX, width), coverage 0-1.
    """
    shapes = _shapes()
    pieces = [shapes.get(letter, shapes["?"]) for letter in text]
    if not pieces:
        return np.zeros((LINE_HEIGHT_PX, 0), np.float32)
    return np.concatenate(pieces, axis=1)


@functools.cache
def _shapes() -> dict[str, NDArray[np.float32]]:
    packed = np.frombuffer(zlib.decompress(base64.b64decode("".join(_COVERAGE))), np.uint8)
    levels = np.stack((packed >> 4, packed & 15), axis=1).reshape(LINE_HEIGHT_PX, -1)
    coverage = levels.astype(np.float32) / np.float32(15)
    starts = np.cumsum((0, *_ADVANCES_PX))
    return {
        letter: coverage[:, start : start + advance]
        for letter, start, advance in zip(_LETTERS, starts, _ADVANCES_PX, strict=False)
    }


# Two levels per byte, row by row, compressed.
_COVERAGE = (
    "eNrtnFtwG9d5gM8uQJAEAQq62HJjiYCmriyPIxHOS2zPRGCnL/G4FSg/pY08oJynJh6BTqdPSQ050z54HJmsm77ZBhNf"
    "Mp3GAVPZSpsHgXJiS+mMBMqpW19agRTdjGPZWvEGgrjs6X85u9jFhSAlyrGnODMSgLO7Z8/+5//O+S9nKUSndEqndEqn"
    "dEqndEqndEqndEqndMraJTXbkcF6S/dUuzPiU8Jf6Ajqs1tyclWNpZQzTY73lp2//OXGM2ILte/e09L+npnkz7Ep+qd+"
    "9lR+Dw95/6Ul+D87KkSfefbGm9PkcXikib6V5jgcMX8E/+tXQ3TuCfPXQySGCZT2kPCYVB+LrnWHHhgU3+nqM/j9j57l"
    "gdn7E+PKY/jlq+fNX6urY3JECI+EUqXff5F//6gQQayQy/D7rgvmKazXn7t6LrShZ9RPmG821vbhk8McCc1fGaGaey+Y"
    "7w5RzdV/P2odk3AafaKE9Kfyn/w4hAoWwSeT/M36J7RcQaRYhVLUuo7PkpIotPQ06tRzxvuPsYLKj58Q9TXfwxrPs8Z/"
    "vxzZIrnM9JE0AhWRnudZqBBepd5jn/OTmjFJPRnKXiYhrvaoC4cJh/ywAwctt+qSACrRunFIyM8iDrqUNg5STmwyDoEl"
    "EZ534ACCNGGY/ctUtx+kvGjh4MOHzxxvj0MQ+puFdoap8zwwpPRRVgKpSMy7cfgifClZOMBdffh5Bg4k4XNuY1YBXPEz"
    "+nbLs8bHP1C1g9wVUvUK8vUF+hZVEPywCQ5aBr+shlrhsB+U0MZhhs4gHKYUDjrIQZoj6rnNoYYaVN4xoqARhxjLKTMb"
    "QMn349jrclQkcIWOFcUBUufcRQcO49DYOPeGHnWXlONOuexe3AAOudfFzcQhPXVdl/XIwzbYemZ+k3EIz4g4Pdt9efMc"
    "jFZ4ZVsOxM51IrsS2fu6hUMQEYmB+fkS4NC1BpexGdErv7cjB7OX/t430ozDS1v3SbjW9/KX9IflMAuTcYiofuU/jGx/"
    "UjVhgKxi1Ye2p2HIuuSvtj5sbmR50KuPbM8W8ZvPQEX5pRpLY4k0ZUFo95Nu5csPaffBZIs1X87jNKBU2/7cL0/t2fYo"
    "SKw5Dnp+yT43VUX5BKuEw7LCYb98MXSnscJX3YsCcNXsk5fxyxuRWzIopS5aVWwcghUer/EeCU8fM2ZwiogKP3RUy1+E"
    "s0dolVCWbDVEOMRmajjA2pV2LQ+eT0LrxkHjUXLj4P75+8Chr+RY5waXNhmHxKQYG1VLN65CyUkxOA/SjvCp1uKKOMTR"
    "EQsWhJb9l9iXsjT5esymc/METl5igDvOOKAFliiqHhgkidhvXDj4zdqSQyOdhqnMD0eDgIJmjG8Eh+Ool/glV/5G6A9P"
    "sJEk8k+VbFXPwrwSIPPj7kmu6ZYXG3HIka90rBUOB3G+t3AoonrFf4c4VKoKh9wyzdFDfP3YSn1NCmr6Uan0iUYcuiVK"
    "xCeHvKiZqefgPr0gcB0A7sVDmctoK6lHNmD9RByCSzUcbjeHumVLwbXBQZfRzyIOgaIDhy3L9Yd9NNT+oevEIT0qcvjY"
    "8fK9Z758Eg4cF/0LoocPeqyph3DIjCsJdF1KP/+2aI1DblikZ1FvQjUcyIiy5J++RqvBn7hwiDmcmT5cDHLTrCB0YKyJ"
    "a7jTLdAHD7sGG7t2oEJDeoxE6JV7qUekvilgLcl3HFUKjcpah0M3zwf6SHMcPKiDNg4LeErmScRhiXCeVtdrxjRfHy43"
    "qRGxQm0WcOFAIyUCVVwgQAG+WVAiTBZEHJ9ooIy2El+6C4lBHHpXbRy07FxtDtowDp7PJQ4xOpydvU4c8lGNVDozxb4D"
    "4xCbFo2rA82lXhzE22Qx1BoHHZQuP4nyHHHj0GdJj6p6Sx4XDmmHHTiIY5ohHKIigfNdomFZ1L4ur7kDX+YPnGKrIHFs"
    "0nkMfA5/RaNPxgH+y1s9Y4UeqDbgEKzagYZmOByiBc3CYR6GSJN3YSvz2HfAIcjySS3z9bAONNaI+HILHEQWOziISwqM"
    "jbG3xD9gstiTn+I11LaVMqgGiIO3auNwexXu4DWO10vugfPm2RDi4PlpFb177Tvk3HtPfzyKOGjfNT4aYs8N5pirZ3GE"
    "MpN35d8JuXyHXdUo4pCZvP/qG0J/Dlvyl/kTgx/vRhx3UE3j8ZLwvmK+d1jE0ScTueOkAeEV0rYR/JmHLsTnfYj3rupW"
    "GrFwoUf5dG1x6MGT+px23vpxsJwweKrcccaBjaWcJeTFGg4EAva5HQ7dZTWvsYFTw6G/bHkJqKXxWYXDBfNUiGImDnML"
    "lT+JxlJVkZBYUdcb6jTv87LqHug/MOQ7tQkNplAgTv04cJmECtDbxtI03Pm4C4deeMA6HGLFtXC4Q74lnDgkpoWv3Es4"
    "4IoGOChTBui21oL6GlTxUiscEjjaY9D82LzwVHUQdmKRDKN/4jkkc9nqYLecVDgII2rhkMU4hPhK/fJAiv4WKushKZGY"
    "QxzDAI++jDgcIkVlHFBDTiIOJ8EJu+jEwZN/nVaHzKtwZHQ/KZG/fBBaDHHwY9lxB9U0/i5R5KDoxsFfoX6FoGldFvgW"
    "MGTpOQ7PpWbXjQOt8Zlatf7L9eBgoVTDYYJxGARXetJn+V8xhz3fzaoPIm9jLPUV1MLACl7DIcFWgX4EJaTlhz12ZOk3"
    "2K0nTtCkRWvWNKnF4e3pJWVFja26cdiXl79D3YmrR8CFoisjK4/ZmgXIDV4U2onqM8mRbpRhcl7EF21XekT47DmEFdpX"
    "ixJZn8nltXBIVSMuHPqXRKDAOPjB2oORVNfDImN5CvU1BXRh/qEFDv0l9cCwgHSXhBFRwkyq2NxA2bKV0JFWOHDsLzXT"
    "UgG6Xrtn2+OovJWPonfKKVg7fxu540m4+cmtxzIL8PPt0D4wC8hYSpSjt3yEOJx/QUsVnTgcKocYhwvP6JmF96O3gUT9"
    "lfeiO0G9KPiBTr+6g9U0/oZ2X9h6x4+VsaRw8OK9AiVYFYTPLFH17krIB03GcC7M0yP1kDIGXTg0psF65aifzRJlMw+1"
    "w8ERfO5dEUGOpK44Aq0DyvTy5B0Bzl5ehbOT7Vzp8Lwg30/k3DjoBplgWWk+QbYSQ+M5dc/2tBmBWeEEc0EWGXXxb2DS"
    "Agn0kytdcuKgPSrlS6wHDhyE9i0pX2OikqhJYyNiNzzP2IiGfc9NiP5VK5j6qlCeak2hvdAdDrRG+HOcPAw7sSXZfKjh"
    "QFFgBw5gtsdmGQcMiAIO6vqAqeJIsw01FzHAJa/8XagZDhhRIlGGi5gAzYyoGaZPTip81COQI61wSEy1wcHyk/04Y8AU"
    "FTCJaoxjeeQC3D5E+WvCAY2yQcRhld14GwcfujOEA85TVajOTkGL4zTewWqI4iXWHaym6Xd31eE7KBxEHmNiS6J/WfhX"
    "TFDRIaBy/OAqB5LYLhFJspfDBQcOQVfcTON2VzIOSDTHShFbaSYKJw7AQpgEt1t+8jbd9FHzRyIz3HXhCgjjQJmsY4bT"
    "z5Y/2Bu1QGtTHJJTCofslAuHXTx2WdJFkZi1nAsc1nFcJZ7RUzTJkdkCQ/Y8rFsjOGv/auufSaff15WV5aNNh/nOHC8a"
    "XkrQXILu/i/MUyMiF4IbDMMEY+HwISpbPQ6j9TiMLXKHrzXHYc6Ng8cMpccZB4wlAA5jiyr/Z+cd6mrK+KC3gbnxYagJ"
    "Dh7oEYUE4Ad4dMkJNZX5FQ7sMeBxXugIh/DCOnAQuVGK2olA2XLl46htafAbUX9ALxEHL3YIRwMD/KiVNg5okzAO83gG"
    "nJa8Bi3CU8RVE6kF+w5W0/Tb1wwHjJSAvPpW4Tnz0S6TrN38GRRJSPn8FG0UnuyCA4ceeZTztFV0G7+olgfH4kCrxdo4"
    "GI6zB2dEghRbz4DuqXXFW0bjD8Y6c5FiJyzrPlZIMuYoDeeamJ1hh9Hmq0NWcaofgf5qxnANB/QZddxg4OO+D9CtDmLe"
    "YVWlqR4vOZ1meTbSYpg9J6g/5LVrZZ5n4DaZCKHgoYglCHSvcab56uA2llIOHBqNpSSbkjYOInfUiCocBor1qwNnpd01"
    "8j+403+Zo5WmHgd0oSkjDctEbEbEZrq4y0mpRGkFGNJFYePgX2mHw87TZIejX4YmcJJjGCmUW2KBf4KFjjh0S+pVhJwu"
    "XFEsHH5BA0w4TAk+DQwdmjEHF/H54XPZvoPVNP3W1QLuwgFOFuDzw8oRm06P0maSXsoHi/woHQR1KNI0opRU5defphQ1"
    "Ksh/RfYZytJmVRlT6ikLbXBwuN3JCZFmnURDQ124e0Eznri7Ah0fEQfMqJdTYLXVoSkOfTSrkjEWaeo7OCy67Cx5uTUc"
    "wGvW5Lx9CRvYaBeTfe99xXw1vOrC4c1Qy+0Z1J9+lJ2nKLzY6SzhQIYSEkrqGy9uwHcYu9bClZ5z45B8oyoUDj0y0ug7"
    "1FrkGu1PrcCQnl2tx6HMcsGAAk4vKTD1FnpNNo3+WWUlFQ4+tVoQDrR5YC0cvAYvfTTpov/Kp45Nc6CV1WiVcOipClZX"
    "DCXh1GLhwKrCkSXlVsYXuMXwEkfFt6zU7qCa5mk+Jav/WI8DzLVdpDeR1HhiMkiBJoPukZrmnukUmGmKg7dyePvT0Off"
    "ulYHBw64EUBOthBH3nYupJ3eR4rPHFNCHhvtwqB3yEt51zn/qtt3cM7FpmNDkMKhqyKaRpYcFh14hn185/naLIdJVwz4"
    "CBVg1GmlMFT2O1aoM5YOi0bfASY+ZSz1o0C9RdGFA4A2dwi34EBZUOoL+rj+yFILHCJxd6BVhKsrFg6aMd4YWRJ22myw"
    "RDVazgqQD5g2DmQecYYBJgGMsaI84SH6Cpy56TO3KbEoHNiRVjhonFxpjcNA9RFKYN8IDufpya8PB/375CO6cICTyPow"
    "RrLD4fnBRRIGzfLQXB4VYTcbJx7eqeUyljz4/evGO6EmvgMZS2vi4PAiXDhMsYkjPDBzwaDlol20K8dMXa6LLDXFoebL"
    "F9Us7847ON39wUIdDjgFZm0cdNJTj8Pg4nCjw0F6VJovruVKEw6eVWt18JQFy0RaqTYw3tefd2iFg1fOuXDww/MoHKC2"
    "Me+ALbpr7Egumd2MQy/p85ZVIsPD5mNuygDTpRReURerRYZx0A3l8fPYZEfWxiGO/QXftYWxZF3pNpbqcPhZ7oM1cGhp"
    "LCkHcMfTVYVDdpzb14xR8pEzP5ShwFJyhlKopDH+EroPMHGcUYGa1q60ipaO+l3bS5Y3sJvBFD7LKO+eUk5CYEnhQPOz"
    "nld67Mg7rIlDP45NY1Y64zDcVOLJ5TuwDPO8WzNavzpoRh3cGGit30fY9dNaoFVYvgNG9kZ2LauAmt9SeVTLdWelW+Eg"
    "aHmo4YAOvIXDQKkxK223aNf4rb1YfdJeHbpoGOIFkvnXWIhjS+j5VFXaYYLT9hYOAUuOjENqcm0cUNl0NJZauNJLNRxq"
    "rnQdDpO3YwCzFQ7kSiebuNJlO6IcZRzwagqcpKfpZYzkBxXRU8xMoP5fTM9RN+4ukQWpBNUu0FqXd2gbaHVlZEq1Nxi6"
    "pyxHbVywsSRyczT/qgZplLwy0gaH+LSyMlx7lnqd8azsvBsHShIMkCs9okJ+SMJF27cGwdbrfrs0nHBElv4a9IT1ERWO"
    "fYfyBvYstcSBlocaDpZNiV99MlfbszRs41BXgwbbfTjQsbKNg2bgRMhmVP40CzFephQEraAB0AydpwnGwd6mxzgMzq+N"
    "A0zTQN94q0BroBKqbdKwA631OGgYGGmFQ7DSItBq4YB5BrKgUHYxWiYXMdYqBivg71Ux2NNrRndxMoVywenL69ukUZ+V"
    "3kgaDlkI8mD+20M7X3+cd1BexWdBV1ocNL+t3WdvrqY9S92ubSoWDla+GZf29DhpP+9otXFIq8Uh+Ld79CNKxwkHqKC8"
    "A6gHBlqFNTHiFtGH4AgM/ak9O7Iroi4r3WyTxov29y0ktPQw5x1kscbYuIosLakdrffaO1qrTXe0vrZHe8BohQMtD81x"
    "EHlZv6NVteiqycyKWAl7sWTjIJKVw9oRyx/kuTpMibcsGcBjS7ZLTjj4bLOYcQgsr41DuPLHO86j71D5KLpTpeF2UBpO"
    "4zTcf0a2ffUM45C00nD1OAi0SFrh4EzD7eQ0HDVNx3tevkd7GBPshRCqf/RWbB+Ghya8IO7sN7AiWVDMJ3G3fC0ofoN7"
    "lraU1fKbvdaIQ/+CGOTtSXmVuRe8XHCglWIQxf08e9g7WtvgwJ66et9B5Nh/1chwh7NpV39R1HDYIq3sG/pwtJs8M2uF"
    "CKgX+M4EAeTGYc0tfIxDbBpfYHrm2LmI7YuDFce5BdQ29/sOf2/lJED+Fg78vkNlqBUOuDzwNQ04JKT7fYeIFUNSrzlw"
    "DQxfTKpzLBwc74SoVzRgIaN8OorBQ3tU2VoiHALKfZpQOHSX1sYBm58jVzredJPGV9ipIxzsTRoNOGBopBUOtU0a8bpN"
    "GtawfoCZLrUV5AVJk2GVxxw3l1RVIIm2MQzQpLneTRq8o/ULQ9eFA+hLkl3jW39i8Ktn/KpDVw7TcGLnafNcxGO8xRO7"
    "9b5DIw7hFRsHVWW9DVePg/6dS+a5iAMHqKjyjb2v8OYlzdqT/MAl8+dY8cAFfmsMcXDl1FsXxsHvSFbYr5aR+nKD+DYc"
    "vu0HNabzbbgaDvQ23L9GGzdpWC8EJcxWOASk+204y8iEGtJtrgHnwfPN8/LKt2tZaXCMLlgyUi/wwY1nyG6NCkr5CjVz"
    "NsWBRmCtvMODxrsRwsHawvdd9xa+bxmf/DyidrQ+ePWsFx62CQ5g/rbEoeUWPrzbn8PThfAczDQ9ePVN2sSpMf9kNieh"
    "fjc+JW1j70Xw141DW8Wox6FV6Wm34dbxNlyDOVqDpGdV3MzStZH3gLT88ZvTi17zhi63AqObXVTUD9fndlnpDZTuat3O"
    "7Mn1XunaQh5buL7bB9xbEDf79Z+WTz3VVtpDQm+ujenalB1cvqk49K5s5OyDtAlCe2qztS9YvjGm1W6nTceB/3TA2HiL"
    "Px1wfWWgboLLTHyqOMTd1/WYm/ty6PXj0PovafyP+LRKcHojZ+v50iOhO54vbzIOeuYG/6BIonwzcWj5lzQ2Xvx/Fdqb"
    "d+vjLa5Q+03HwZN307fZfzrg+nH4HBbcHcdu6maWLXJS/P8oQevPGzgc8fVbepuAQ780I+4a1x+WCYlO2Ui59RXjvaOb"
    "3Wj/m58vIWyxduNufB38fl5FHWwc6A8PfXo4mCeb1mdHO7rdKZ82Dp/Z0sGhUzplU8v/AUZNV24="
)
