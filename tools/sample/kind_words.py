"""The words that go with each kind of drawing: nouns that name it, and topics that come up with it."""

from __future__ import annotations

from collections.abc import Mapping

# What a knowledge base may call something that is drawn this way. The first words are the closest.
NOUNS: Mapping[str, tuple[str, ...]] = {
    "planet": (
        *("planet", "moon", "world", "dwarf planet", "celestial body", "asteroid", "star"),
        *("constellation", "nebula", "planetary rings", "light in the sky", "comet"),
    ),
    "cat": (
        *("cat", "animal", "leopard", "species of cat", "species of big cat", "mammal", "panther"),
        *("big cat", "genus of cats", "wild cat"),
    ),
    "bird": (
        *("bird", "species of bird", "bird of prey", "songbird", "waterfowl", "poultry"),
        *("genus of birds", "farm bird", "mythical bird"),
    ),
    "snake": ("snake", "genus of snakes", "species of snake", "reptile", "constrictor"),
    "fish": ("fish", "species of fish", "game fish", "freshwater fish", "sea fish"),
    "car": (
        *("car", "make of cars", "car maker", "car brand", "automobile", "model of car"),
        *("vehicle", "sports car"),
    ),
    "ship": ("ship", "boat", "sailing ship", "ocean liner", "warship", "steamship", "vessel"),
    "plane": ("plane", "aircraft", "aeroplane", "airliner", "fighter aircraft", "airline"),
    "rocket": ("rocket", "spacecraft", "mission", "missile", "space mission", "space programme"),
    "city": (
        *("city", "town", "capital", "capital city", "port city", "municipality", "village"),
        *("ancient city", "settlement"),
    ),
    "map": (
        *("map", "country", "state", "island", "region", "province", "territory", "continent"),
        *("historical state", "city-state", "county", "former country"),
    ),
    "river": ("river", "stream", "lake", "tributary", "waterway", "strait", "waterfall"),
    "mountain": ("mountain", "volcano", "peak", "mountain range", "hill", "summit"),
    "portrait": (
        *("portrait", "person", "singer", "politician", "actor", "president", "general", "writer"),
        *("painter", "footballer", "basketball player", "physicist", "mathematician", "monarch"),
        *("actress", "lawyer", "inventor", "engineer", "philosopher", "explorer", "composer"),
        *("surname", "given name", "soldier", "scientist", "poet", "athlete", "journalist"),
        *("tennis player", "film director", "film character", "comic book hero"),
    ),
    "guitar": ("guitar", "band", "album", "song", "musician group", "rock band", "single"),
    "clapper": (
        *("clapper", "film", "series", "television series", "movie", "superhero film"),
        *("animated series", "cartoon character", "comedy group"),
    ),
    "ball": (
        *("ball", "team", "club", "football club", "baseball team", "basketball team"),
        *("sports team", "football team", "sports club"),
    ),
    "book": ("book", "novel", "magazine", "newspaper", "comic", "poem", "play", "manga"),
    "fruit": ("fruit", "plant", "tree", "citrus fruit", "berry", "vegetable", "species of plant"),
    "cup": ("cup", "coffee", "drink", "tea", "kind of coffee", "beverage"),
    "flask": ("flask", "element", "chemical", "chemical element", "metal", "compound", "substance"),
    "temple": (
        *("temple", "god", "goddess", "myth", "deity", "Roman deity", "Greek deity", "Titan"),
        *("statue", "mythical hero", "mythical hunter", "mythical figure"),
    ),
    "screen": (
        *("screen", "software", "game", "computer", "language", "programming language"),
        *("video game", "operating system", "web browser", "website", "game console"),
    ),
    "building": (
        *("building", "company", "shop", "university", "manufacturer", "publisher", "museum"),
        *("telecommunications company", "maker of sportswear", "bank", "hotel", "shop chain"),
        *("record company", "cathedral", "monument", "stadium", "arena", "lighthouse", "bridge"),
        "performing arts centre",
    ),
}

# Words that come up where something of the kind is spoken of. A word may stand under several kinds.
TOPICS: Mapping[str, tuple[str, ...]] = {
    "planet": ("orbit", "telescope", "sun", "craters", "astronomers", "atmosphere", "night sky"),
    "cat": ("fur", "prey", "claws", "hunting", "zoo", "paws", "jungle", "cubs", "predator"),
    "bird": ("wings", "feathers", "nest", "eggs", "beak", "flock", "migration", "zoo"),
    "snake": ("venom", "scales", "bite", "fangs", "coils", "zoo", "prey", "skin"),
    "fish": ("fins", "scales", "sea", "caught", "swimming", "angler", "net", "shoal"),
    "car": ("engine", "wheels", "driver", "road", "garage", "racing", "brakes", "parked"),
    "ship": ("harbour", "sails", "crew", "voyage", "captain", "deck", "sank", "port"),
    "plane": ("pilot", "wings", "runway", "flight", "airport", "landed", "passengers", "jet"),
    "rocket": ("launch", "space", "astronauts", "orbit", "capsule", "crew", "countdown", "fuel"),
    "city": ("streets", "mayor", "suburbs", "downtown", "train station", "port", "skyline"),
    "map": ("border", "government", "coast", "population", "citizens", "independence", "provinces"),
    "river": ("banks", "water", "flows", "flood", "bridge", "mouth", "rapids", "canoe"),
    "mountain": ("climbers", "snow", "slopes", "eruption", "summit", "lava", "glacier", "trail"),
    "portrait": ("born", "married", "elected", "career", "speech", "voice", "life", "interview"),
    "guitar": ("concert", "chorus", "drummer", "tour", "recorded", "lyrics", "stage", "hit"),
    "clapper": (
        "director",
        "cinema",
        "scene",
        "cast",
        "screenplay",
        "episode",
        "sequel",
        "premiere",
    ),
    "ball": ("match", "league", "coach", "season", "goal", "players", "stadium", "scored"),
    "book": ("pages", "chapter", "author", "readers", "library", "published", "edition", "plot"),
    "fruit": ("juice", "peel", "ripe", "seeds", "harvest", "orchard", "sweet", "leaves"),
    "cup": ("roasted", "beans", "breakfast", "sip", "brewed", "milk", "taste", "barista"),
    "flask": ("atom", "laboratory", "reaction", "alloy", "gas", "toxic", "liquid", "ore"),
    "temple": ("altar", "worship", "sacrifice", "priests", "statue", "legend", "Olympus", "prayed"),
    "screen": (
        "code",
        "programmers",
        "download",
        "keyboard",
        "version",
        "players",
        "bug",
        "levels",
    ),
    "building": (
        "customers",
        "shares",
        "offices",
        "founded",
        "staff",
        "students",
        "sales",
        "brand",
    ),
}

# Nouns that are true of other kinds too, though they are drawn as one of them.
ALSO_TRUE: Mapping[str, frozenset[str]] = {
    "animal": frozenset({"bird", "snake", "fish"}),
    "vehicle": frozenset({"ship", "plane", "rocket"}),
    "vessel": frozenset({"cup", "flask"}),
}


def kinds_named(noun: str) -> frozenset[str]:
    """Every kind of drawing of which the noun is true."""
    return _listing(NOUNS, noun) | ALSO_TRUE.get(noun, frozenset())


def kinds_with_topics(topics: tuple[str, ...]) -> frozenset[str]:
    """Every kind with which all of the topics go."""
    return frozenset.intersection(*(_listing(TOPICS, topic) for topic in topics))


def _listing(words: Mapping[str, tuple[str, ...]], word: str) -> frozenset[str]:
    return frozenset(kind for kind, listed in words.items() if word in listed)
