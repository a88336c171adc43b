"""One image file as a person sees it: upright, on white, and grey if it holds no colour.

Pillow reads the file. Its orientation is what Pillow finds in EXIF or, failing that, in XMP. Only the first frame of an
animation is used, and only the upper 8 bits of 16-bit colour, since Pillow gives no more.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from zoo.data.decoding import centre_square
from zoo.errors import InputError, first_line

SUFFIXES = frozenset({".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16L", "I;16B", "I;16N")
DEPTHS = (8, 10, 12, 14, 16)  # numbers of bits that cameras and scanners store in 16-bit files


class Header(NamedTuple):
    """What has to be known about every file of a folder before the first is decoded.

    Args:
        is_grey: whether the file holds no colour.
        size: (width, height), upright if that was asked for, or as stored.
        largest: the largest value of a 16-bit greyscale file; 0 for any other file.
    """

    is_grey: bool
    size: tuple[int, int]
    largest: int


def header(file: Path, upright: bool) -> Header:
    """Reads the header of a file, and its pixels if the header does not suffice.

    Args:
        file: the image file.
        upright: whether `size` is to be that of the upright image. The whole image is then decoded, since its
            orientation may be stored after the pixels, and TIFF files turn only as they are decoded.

    Raises:
        InputError: the file cannot be read; the message is the reason.
    """
    with _opened(file) as image:
        is_grey, is_deep = _is_grey(image), image.mode.startswith("I")
        if upright or is_deep:
            image = ImageOps.exif_transpose(image)
        return Header(is_grey, image.size, int(np.asarray(image).max()) if is_deep else 0)


def depth(largest: int) -> int:
    """How many bits, one of `DEPTHS`, the values of 16-bit files need if `largest` is the largest of them."""
    return next(bits for bits in DEPTHS if largest < 2**bits)


def pixels(file: Path, channels: int, bits: int, square: int | None = None) -> np.ndarray:
    """The pixels of an image file.

    Args:
        file: the image file.
        channels: 1 for grey, 3 for colour.
        bits: the number of bits of the values in a 16-bit greyscale file.
        square: the side to which the image's central square is resized; None keeps the image as it is.

    Returns:
        uint8 `[height, width, channels]`.

    Raises:
        InputError: the file cannot be read; the message is the reason.
    """
    with _opened(file) as image:
        if square:
            image.draft(None, (2 * square, 2 * square))  # decodes a JPEG smaller, at least at an eighth; averaged below
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):
            image = Image.fromarray(np.rint(np.asarray(image) * (255 / (2**bits - 1))).astype(np.uint8))
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = image.convert("L" if channels == 1 else "RGB")
        array = np.asarray(image).reshape(*image.size[::-1], channels)
        return centre_square(array, square).numpy() if square else array


@contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """The opened file. Any error that Pillow raises, here or in the block, becomes an `InputError`."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe would wait for a writer
            raise InputError("not a regular file")
        # Not by its name: Pillow memory-maps a named greyscale TIFF file; if that lies on its side, the rows get mixed.
        with file.open("rb") as stream, Image.open(stream) as image:
            low, high = image.getextrema() if image.mode in ("I", "F") else (0, 0)
            if image.mode == "F" or low < 0 or high >= 2**16:
                raise InputError("its values are not those of 8 or 16 bits")
            yield image
    except InputError:
        raise
    except UnidentifiedImageError as error:  # its text ends with the stream's description
        raise InputError("cannot identify image file") from error
    except Exception as error:  # Pillow's readers raise errors of many types
        raise InputError(getattr(error, "strerror", None) or first_line(error)) from error


def _is_grey(image: Image.Image) -> bool:
    if image.mode != "P":
        return image.mode in GREY_MODES
    palette = np.array(image.getpalette("RGB")).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())
