"""What happened to nine label files, by the values that are in them."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

# What is in a file, and what happened to it, by its number in the chapter's list.
FILES = (
    ("0 1 2 3 255", 0),
    ("0 38 75 113", 2),
    ("0 1; the 1 in a thin ring around every object", 5),
    ("1 2 3 4 255", 4),
    ("0 255; a file of the road project, which has two classes", 3),
    ("0 to 34 and 230 to 255, up to eight pixels away from a contour", 1),
    ("0 1 2 3 255, and 64 128 191 where a class meets void", 7),
    ("7 8 11 21 23 24 26", 6),
    ("0 1 3 255", 0),
)

STUB = """
diagnosis = [
    None,  # a: what happened, a number from 0 to 7
    None,  # b
    None,  # c
    None,  # d
    None,  # e
    None,  # f
    None,  # g
    None,  # h
    None,  # i
]
"""


def diagnosis():
    """Values first, and then where they stand."""
    return [number for _, number in FILES]


def _but(file: str, number: int) -> list[int]:
    """The right answers, but for one file."""
    answers = diagnosis()
    answers["abcdefghi".index(file)] = number
    return answers


def _absent():
    return _but("i", 7)


def _absent_ids():
    return _but("i", 6)


def _ring_is_fine():
    return _but("c", 0)


def _white_is_void():
    return _but("e", 0)


def _gray_ids():
    return _but("b", 6)


def _ids_gray():
    return _but("h", 2)


def _jpeg_and_bilinear():
    answers = _but("f", 7)
    answers[6] = 1
    return answers


def _jpeg_twice():
    return _but("g", 1)


def _bilinear_twice():
    return _but("f", 7)


def _from_1_is_fine():
    return _but("d", 0)


exercise = Exercise(
    name="diagnosis",
    kind="value",
    minutes=10,
    difficulty=2,
    stub=STUB,
    hints=(
        "Four classes are 0 to 3, and void is 255. Two of the nine files are in order: a picture "
        "need not show every class, nor have void. Then look for numbers that you have met in "
        "this chapter: 0 38 75 113 are one palette's colors, turned gray.",
        "JPEG and bilinear resizing both invent values. Resizing mixes neighbors, so its values "
        "stand on contours, halves and quarters between two labels. JPEG works in blocks of 8 by "
        "8 pixels, so its values ripple off the contour.",
    ),
    solution=diagnosis,
    why=(
        "The eye sees a black picture in nearly all of these cases; `np.unique` sees the cause. "
        "And the values alone are not enough. 0 and 1 may be two classes in perfect order; only "
        "the ring, where void used to be, tells that a division by 255 left nothing but it. "
        "0 and 255 may be one class and void; only the question of what the file is for tells. "
        "Look at the numbers, and at where they stand."
    ),
    mistakes=(
        Mistake(
            "diagnosis.absent",
            _absent,
            "Eight are right. In file i one class is missing, and no strange value is there. Not "
            "every picture shows every class.",
        ),
        Mistake(
            "diagnosis.absent_ids",
            _absent_ids,
            "Eight are right. In file i all values are classes or void; one class is missing, as "
            "in many pictures. Ids that were not translated go beyond 3.",
        ),
        Mistake(
            "diagnosis.ring",
            _ring_is_fine,
            "Eight are right. In file c, think of what stood in the thin ring before: void, 255. "
            "What makes a 1 of 255, and a 0 of 1, 2 and 3?",
        ),
        Mistake(
            "diagnosis.white",
            _white_is_void,
            "Eight are right. File e is to show two classes, and as it stands its second one is "
            "void: no pixel of it would ever be judged.",
        ),
        Mistake(
            "diagnosis.gray_ids",
            _gray_ids,
            "Eight are right. 0 38 75 113 are no ids of any data set: they are the grays of the "
            "palette's first four colors.",
        ),
        Mistake(
            "diagnosis.ids_gray",
            _ids_gray,
            "Eight are right. File h begins at 7, without a 0: a palette's first color is black, "
            "and would be 0. These are Cityscapes' label ids.",
        ),
        Mistake(
            "diagnosis.exchanged",
            _jpeg_and_bilinear,
            "You exchanged f and g. Mixing neighbors, as bilinear resizing does, makes values on "
            "contours alone. JPEG's ripples reach over its blocks of 8 by 8 pixels.",
        ),
        Mistake(
            "diagnosis.jpeg_twice",
            _jpeg_twice,
            "Eight are right. In file g the strange values are quarters and halves between 0 and "
            "255, and stand on contours alone. JPEG is less tidy.",
        ),
        Mistake(
            "diagnosis.bilinear_twice",
            _bilinear_twice,
            "Eight are right. In file f strange values stand up to eight pixels from a contour: no "
            "mixing of neighbors does that.",
        ),
        Mistake(
            "diagnosis.from_1",
            _from_1_is_fine,
            "Eight are right. In file d there is a class 4, and four classes are 0 to 3.",
        ),
    ),
)
