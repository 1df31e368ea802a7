"""A validation split that tells the truth."""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Requirement

# City → its pictures, and what they show beside road, sky and buildings.
CITIES = {
    "aachen": (5, ("bicycle",)),
    "bremen": (4, ("tram",)),
    "dresden": (6, ("tram",)),
    "kassel": (4, ()),
    "trier": (3, ("bicycle",)),
    "ulm": (5, ("tram",)),
    "weimar": (3, ("bicycle",)),
}
NAMES = tuple(f"{city}_{i}" for city, (n, _) in CITIES.items() for i in range(1, n + 1))
COPIES = (("trier_2", "weimar_1"),)  # the same picture, cut a little differently
LEAST, MOST = 6, 10  # a fifth to a third of the thirty pictures

STUB = """
fair_split = None  # the names of the pictures for validation, as ["ulm_1", …]
"""


def fair_split():
    """Whole cities, one with trams and one with bicycles; both kinds stay in training too."""
    return of_cities("aachen", "bremen")


def of_cities(*cities: str) -> list[str]:
    """Return the names of all pictures of some cities."""
    return [name for name in NAMES if city_of(name) in cities]


def city_of(name: str) -> str:
    """Return the city in which a picture was taken."""
    return name.rpartition("_")[0]


def _not_names(thing):
    if not isinstance(thing, (list, tuple, set, frozenset)):
        return (
            f"A list of names is asked for; this is {type(thing).__name__}. "
            "`of_cities('ulm')` is one."
        )
    strange = [name for name in thing if name not in NAMES]
    if strange:
        return (
            f"There is no picture {strange[0]!r}. The names are those of NAMES, such as 'ulm_1'; "
            "`of_cities('ulm')` gives all of a city's."
        )
    if len(set(thing)) < len(thing):
        return "A name stands in your list twice. A picture judged twice counts double."
    return None


def _wrong_size(thing):
    if LEAST <= len(thing) <= MOST:
        return None
    return (
        f"Your list has {len(thing)} of {len(NAMES)} pictures; {LEAST} to {MOST} are asked for. "
        "Fewer, and the score hangs on single pictures; more, and they are missed in training."
    )


def _torn_city(thing):
    torn = [city for city in CITIES if 0 < sum(city_of(n) == city for n in thing) < CITIES[city][0]]
    if not torn:
        return None
    return (
        f"Pictures of {torn[0]} are on both sides. They show the same streets on the same day: the "
        "network is then asked about what it has seen. Take a city whole, or not at all."
    )


def _without_a_class(thing):
    for kind in ("tram", "bicycle"):
        with_it = {name for name in NAMES if kind in CITIES[city_of(name)][1]}
        if not with_it & set(thing):
            return f"No picture of your list shows a {kind}: its IoU would be NaN. Which cities do?"
        if with_it <= set(thing):
            return f"All pictures with a {kind} are in your list: training would never see one."
    return None


def _copies_apart(thing):
    for one, other in COPIES:
        if (one in thing) != (other in thing):
            return (
                f"{one} and {other} are copies of one picture, and you have parted them: one is "
                "trained on, the other judged. Cities do not help here; both have to be on one "
                "side."
            )
    return None


exercise = Exercise(
    name="fair_split",
    kind="open",
    minutes=15,
    difficulty=4,
    stub=STUB,
    hints=(
        "Choose cities, not pictures: `of_cities(…)` gives all names of some. Two or three cities "
        "are enough. Which have trams, which have bicycles, and how many pictures are that?",
        "Trams and bicycles have to be on both sides, so take one city of each kind. trier and "
        "weimar share a picture: they go together, and are then all of the bicycles but for one "
        "city's.",
    ),
    solution=fair_split,
    why=(
        "Pictures of one city are relatives, so the city is what is drawn. The near copy shows "
        "that names are not enough: look at the pictures, or at a fingerprint of them, as "
        "`inspect` does. The share comes last: between a fifth and a third it matters less than "
        "that every class can be judged and learned."
    ),
    requirements=(
        Requirement("split.not_names", "is a list of names", _not_names, lambda: ["ulm"]),
        Requirement(
            "split.size",
            f"has {LEAST} to {MOST} pictures",
            _wrong_size,
            lambda: of_cities("aachen"),
        ),
        Requirement("split.torn_city", "keeps cities whole", _torn_city, lambda: list(NAMES[::4])),
        Requirement(
            "split.without_a_class",
            "has trams and bicycles on both sides",
            _without_a_class,
            lambda: of_cities("dresden"),
        ),
        Requirement(
            "split.copies_apart",
            "parts no copies",
            _copies_apart,
            lambda: of_cities("bremen", "trier"),
        ),
    ),
)
