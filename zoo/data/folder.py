"""Image folders, "folder:PATH": images side by side, or one sub-folder for each class.

PNG, JPEG, BMP, GIF (the first frame) and WebP files count, by their ending; other files are ignored, and so are names
that start with a dot. Sub-folders of a class folder belong to its class. The images are greyscale if every file is,
else RGB; transparent pixels show white, and a photograph is turned upright as its EXIF orientation says.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from zoo.data.dataset import FOLDER, Dataset, in_memory, shuffled_rows
from zoo.data.decoding import centre_square, decode_once
from zoo.errors import InputError
from zoo.labels import NO_LABEL

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"}
GREYSCALE = {"1", "L", "I", "I;16", "I;16B"}
SIDEWAYS = {5, 6, 7, 8}  # the EXIF orientations that swap width and height


def load(name: str, image_size: int | None = None, skip_corrupt: bool = False) -> Dataset:
    """Decodes the folder `name`, "folder:PATH"; its files are dealt to the splits by a fixed permutation.

    Raises:
        InputError: the folder is missing, holds fewer than three images, or mixes images with class folders; its images
            differ in size and there is no `image_size`; a file cannot be read and `skip_corrupt` is not set.
    """
    root = Path(name.removeprefix(FOLDER)).expanduser()
    files, labels, class_names = _find(root)
    order = shuffled_rows(len(files))
    files, labels = [files[row] for row in order], labels[order]

    headers = {file: header for file in files if (header := _header(file))}
    if not headers:
        raise InputError(f"none of the {len(files)} image files in {root} can be read, such as {files[0].name}")
    channels = 1 if all(mode in GREYSCALE for mode, _ in headers.values()) else 3
    width, height = (image_size, image_size) if image_size else _common_size(root, headers)

    def images() -> Iterator[tuple[np.ndarray, list[int]]]:
        corrupt = []
        for file, label in zip(files, labels, strict=True):
            image = _pixels(file, channels) if file in headers else None
            if image is None:
                corrupt.append(file)
            else:
                yield (centre_square(image, image_size).numpy() if image_size else image)[None], [label]
        if corrupt:
            _refuse_or_warn(root, corrupt, len(files), skip_corrupt)

    key = _fingerprint(root, files, image_size, skip_corrupt)
    shape = (height, width, channels)
    decoded = decode_once(key, len(files), shape, images())
    return Dataset(
        name=name,
        data_shape=shape,
        num_classes=len(class_names) if class_names else None,
        class_names=class_names,
        licence="not stated: the images of a local folder",
        read=in_memory(name, *decoded),
    )


def _find(root: Path) -> tuple[list[Path], np.ndarray, tuple[str, ...] | None]:
    """The image files in a fixed order, their labels, and the names of the classes if there are any."""
    if not root.is_dir():
        raise InputError(f"{FOLDER}PATH needs a folder of images. Received: {root}, which is not a folder")
    files = sorted(
        file
        for file in root.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(root).parts)
    )
    if not files:
        raise InputError(f"{FOLDER}{root} holds no images; their names end in {', '.join(sorted(SUFFIXES))}")
    tops = [file.relative_to(root).parts[0] for file in files]
    class_names = tuple(sorted({top for top, file in zip(tops, files, strict=True) if file.parent != root}))
    if not class_names:
        return files, np.full(len(files), NO_LABEL, np.int32), None
    unsorted = [file.name for file in files if file.parent == root]
    if unsorted:
        raise InputError(
            f"{FOLDER}{root} must hold either images or one folder for each class. "
            f"Received: {len(unsorted)} images such as {unsorted[0]} beside folders such as {class_names[0]}"
        )
    return files, np.array([class_names.index(top) for top in tops], np.int32), class_names


def _header(file: Path) -> tuple[str, tuple[int, int]] | None:
    """Pillow's mode and the upright (width, height); None if the file is no image."""
    try:
        with Image.open(file) as image:
            # Without this test, getexif decodes the whole of a PNG file.
            exif = image.getexif() if "exif" in image.info else {}
            sideways = exif.get(ExifTags.Base.Orientation) in SIDEWAYS
            return image.mode, image.size[::-1] if sideways else image.size
    except Exception:  # Pillow's readers raise errors of many types
        return None


def _pixels(file: Path, channels: int) -> np.ndarray | None:
    """The upright image, uint8 `[height, width, channels]`; None if the file is truncated or damaged."""
    try:
        with Image.open(file) as image:
            upright = ImageOps.exif_transpose(image)
    except Exception:  # as above
        return None
    if upright.mode.startswith("I"):
        upright = Image.fromarray((np.asarray(upright) // 257).astype(np.uint8))
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
    return np.asarray(upright.convert("L" if channels == 1 else "RGB")).reshape(*upright.size[::-1], channels)


def _common_size(root: Path, headers: dict[Path, tuple[str, tuple[int, int]]]) -> tuple[int, int]:
    sizes = Counter(size for _, size in headers.values())
    (common, count), *others = sizes.most_common()
    if others:
        file, (_, odd) = next((file, header) for file, header in headers.items() if header[1] != common)
        raise InputError(
            f"{FOLDER}{root} needs image_size (--image_size): {len(headers) - count} of its {len(headers)} images are "
            f"not {common[0]}x{common[1]}. Received: {file.relative_to(root)} of {odd[0]}x{odd[1]}"
        )
    return common


def _refuse_or_warn(root: Path, corrupt: list[Path], total: int, skip_corrupt: bool) -> None:
    names = ", ".join(str(file.relative_to(root)) for file in sorted(corrupt)[:3]) + ", ..." * (len(corrupt) > 3)
    finding = f"{len(corrupt)} of {total} image files in {root} cannot be read: {names}"
    if not skip_corrupt:
        raise InputError(f"{finding}. Mend or remove them, or leave them out with skip_corrupt (--skip_corrupt)")
    logging.getLogger(__name__).warning("left out: %s", finding)


def _fingerprint(root: Path, files: list[Path], image_size: int | None, skip_corrupt: bool) -> str:
    """A file name that changes with the files and with how they are decoded."""
    digest = hashlib.sha256(repr((image_size, skip_corrupt)).encode())
    for file in files:
        stat = file.stat()
        digest.update(f"{file.relative_to(root)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return f"folder-{digest.hexdigest()[:16]}"
