# SPDX-License-Identifier: BSD-3-Clause
"""Image data for skorch nets, read with torchvision where a user has it."""

from numbers import Integral

import numpy as np
from sklearn.datasets import get_data_home
from sklearn.utils import Bunch, check_scalar

from sklearn_softunlearn.arguments import unknown_choice

SPLITS = {"celeba": ("train", "valid", "test", "all"), "cifar10": ("train", "test")}


def fetch_celeba(
    data_home=None,
    *,
    target="Smiling",
    sensitive="Male",
    split="train",
    size=64,
    n_samples=None,
    download_if_missing=True,
):
    """Load faces of CelebA with one attribute to predict and one that is sensitive.

    Images are cut to their central square, scaled, and returned in the layout and the
    dtype that torch convolutions expect.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder that holds, or is to hold, the folder ``celeba`` as torchvision lays it
        out. None is scikit-learn's data folder.
    target, sensitive : str, default="Smiling", "Male"
        Two of the 40 attributes, such as "Attractive", "Blond_Hair" or "Young".
    split : {"train", "valid", "test", "all"}, default="train"
        Part of the published split.
    size : int, default=64
        Height and width of the images in pixels.
    n_samples : int, default=None
        Take only the first rows; None takes all. All of "train" are 162770 rows, 8 GB
        at the default size.
    download_if_missing : bool, default=True
        Whether torchvision may download what is not there.

    Returns
    -------
    Bunch
        ``data``, float32 in [0, 1], of shape (n_samples, 3, size, size); ``target``
        and ``sensitive_features``, 0 or 1, of shape (n_samples,); ``target_names`` and
        ``sensitive_names``, what 0 and 1 stand for.

    Raises
    ------
    ImportError
        If torchvision is not installed.
    ValueError
        If an attribute, the split or a number is not known or out of range.
    OSError
        If the data is not there and may not, or cannot, be downloaded.

    References
    ----------
    .. [1] Z. Liu, P. Luo, X. Wang, X. Tang, "Deep Learning Face Attributes in the
       Wild", ICCV 2015.

    Examples
    --------
    >>> from sklearn_softunlearn.datasets import fetch_celeba
    >>> faces = fetch_celeba(n_samples=2000)                        # doctest: +SKIP
    >>> faces.data.shape                                            # doctest: +SKIP
    (2000, 3, 64, 64)
    """
    check_scalar(size, "size", Integral, min_val=1)
    faces = _torchvision_dataset(
        "CelebA", data_home, download_if_missing, split=_split("celeba", split)
    )
    known = [name for name in faces.attr_names if name]
    columns = [_column(name, known) for name in (target, sensitive)]
    rows = range(_count(n_samples, len(faces)))
    attributes = np.asarray(faces.attr)[: len(rows)][:, columns].astype(np.int64)
    return Bunch(
        data=_stacked((faces[row][0] for row in rows), len(rows), size),
        target=attributes[:, 0],
        sensitive_features=attributes[:, 1],
        target_names=[f"not {target}", target],
        sensitive_names=[f"not {sensitive}", sensitive],
    )


def fetch_cifar10(
    data_home=None, *, split="train", n_samples=None, download_if_missing=True
):
    """Load the small colour images of CIFAR-10, of ten classes.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder that holds, or is to hold, the folder ``cifar-10-batches-py``. None is
        scikit-learn's data folder.
    split : {"train", "test"}, default="train"
        50000 or 10000 rows.
    n_samples : int, default=None
        Take only the first rows; None takes all.
    download_if_missing : bool, default=True
        Whether torchvision may download what is not there.

    Returns
    -------
    Bunch
        ``data``, float32 in [0, 1], of shape (n_samples, 3, 32, 32); ``target``, 0 to
        9, of shape (n_samples,); ``target_names``.

    Raises
    ------
    ImportError, ValueError, OSError
        As `fetch_celeba`.

    References
    ----------
    .. [1] A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

    Examples
    --------
    >>> from sklearn_softunlearn.datasets import fetch_cifar10
    >>> images = fetch_cifar10(split="test")                        # doctest: +SKIP
    >>> images.data.shape                                           # doctest: +SKIP
    (10000, 3, 32, 32)
    """
    train = _split("cifar10", split) == "train"
    images = _torchvision_dataset(
        "CIFAR10", data_home, download_if_missing, train=train
    )
    n_rows = _count(n_samples, len(images.data))
    pixels = np.asarray(images.data[:n_rows], dtype=np.float32) / 255.0
    return Bunch(
        data=np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)),
        target=np.asarray(images.targets[:n_rows], dtype=np.int64),
        target_names=list(images.classes),
    )


def _torchvision_dataset(name, data_home, download, **options):
    """The torchvision data set of this name, with errors that say what to do."""
    try:
        from torchvision import datasets
    except (ImportError, RuntimeError) as error:
        # RuntimeError: its compiled part was built for another torch.
        raise ImportError(
            f"{name} is read with torchvision, which cannot be imported ({error}). "
            "Install the build of torchvision that fits your torch: "
            "https://pytorch.org/get-started."
        ) from error
    home = get_data_home(data_home) if data_home is None or download else data_home
    try:
        return getattr(datasets, name)(str(home), download=download, **options)
    except (RuntimeError, OSError) as error:
        raise OSError(
            f"{name} is not in {str(home)!r} as torchvision lays it out, and was not "
            f"downloaded ({error}). (a) Give data_home; (b) download_if_missing=True."
        ) from error


def _split(name, split):
    if split not in SPLITS[name]:
        raise ValueError(unknown_choice("split", split, list(SPLITS[name])))
    return split


def _column(name, known):
    if name not in known:
        raise ValueError(f"{name!r} is not an attribute of CelebA; known: {known}.")
    return known.index(name)


def _count(n_samples, available):
    if n_samples is None:
        return available
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    return min(n_samples, available)


def _stacked(images, n_images, size):
    """Images as one array, read one at a time."""
    data = np.empty((n_images, 3, size, size), dtype=np.float32)
    for row, image in enumerate(images):
        data[row] = _central_square(image.convert("RGB"), size)
    return data


def _central_square(image, size):
    """The central square of a PIL image as (3, size, size) numbers in [0, 1]."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    pixels = np.asarray(image.resize((size, size), box=box), dtype=np.float32)
    return pixels.transpose(2, 0, 1) / 255.0
