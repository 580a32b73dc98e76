"""Sentences that read and compress about like real notes."""

from random import Random

from .words import ADJECTIVES, ADVERBS, FIRST_NAMES, LAST_NAMES, LINKS, NOUNS, VERBS

POOL_SIZE = 30_000
# Renewed sentences keep a long text from repeating itself; making each anew would be slow.
RENEWED_PER_CALL = 300

ONSETS = "b br c ch cl d dr f fl g gr h j k kr l m n p pl pr qu r s sh sk st t tr v w x z".split()
VOWELS = "a ai e ea i io o oo u y".split()
CODAS = ["", "", "", "l", "m", "n", "nd", "r", "rt", "s", "st", "t", "x"]


def hexadecimal(writer):
    return f"{int(writer.random() * 16**12):012x}"


def package(writer):
    """A made-up name: known words alone would compress far better than real notes do."""
    syllables = [
        writer.pick(ONSETS) + writer.pick(VOWELS) + writer.pick(CODAS)
        for _ in range(writer.between(2, 3))
    ]
    return "".join(syllables)


def version(writer):
    return f"{writer.between(0, 12)}.{writer.between(0, 99)}.{writer.between(0, 30)}"


def person(writer):
    return f"{writer.pick(FIRST_NAMES)} {writer.pick(LAST_NAMES)}"


WORDS = {
    "noun": NOUNS,
    "Noun": [word.capitalize() for word in NOUNS],
    "adjective": ADJECTIVES,
    "Adjective": [word.capitalize() for word in ADJECTIVES],
    "verb": VERBS,
    "adverb": ADVERBS,
    "link": LINKS,
    "handle": lambda writer: f"{writer.pick(NOUNS)}{writer.between(1, 99)}",
    "date": lambda writer: f"2012-{writer.between(1, 12):02}-{writer.between(1, 28):02}",
    "bug": lambda writer: f"#{writer.between(10_000, 999_999)}",
    "percent": lambda writer: str(writer.between(2, 98)),
    "token": hexadecimal,
    "package": package,
    "version": version,
    "person": person,
    "time": lambda writer: f"{writer.between(9, 17):02}:{writer.between(0, 59):02}",
}


def parse(pattern):
    """Literal text, word lists and functions of a pattern such as "The {noun}."."""
    parts = []
    for piece in pattern.split("{"):
        name, brace, text = piece.partition("}")
        parts += [WORDS[name], text] if brace else [name]
    return parts


PATTERNS = [
    parse(text)
    for text in (
        "The {adjective} {noun} {adverb} {verb} the {noun} {link} {adjective} {noun}.",
        "Every {noun} {verb} a {adjective} {noun}, and {package} {adverb} {verb} it {link} {noun}.",
        "We want a {adjective} {noun} that {verb} {package} {link} {package} {version}.",
        "If {package} {verb} the {noun}, {adjective} {noun} {verb} {adverb}.",
        "{Noun} {link} {noun}: who {verb} {package} {link} each {noun}?",
        "Agreed: {person} {verb} {package} {version} and {adverb} {verb} {package} {token}.",
        "Action: {handle} {verb} {package} {link} {package} by {date} {time}, {token}.",
        "Bug {bug} shows that {package} {version} {verb} {package} {link} {noun}.",
        "See https://notes.example.org/{package}/{token} for {adjective} {noun}.",
        "{percent} percent of {noun} data {verb} {package}; the rest {adverb} {verb} {package}.",
        "Last time {adjective} {noun} {verb} {adverb}, but no {noun} {verb} {package} {link} {noun}.",
        "{person} asked how {package} {version} {verb} {noun} while {package} {verb} {noun}.",
        "{Adjective} {noun}, {adjective} {noun} and {package} {link} {package} are out of scope.",
        "Revision {token} of {package} {adverb} {verb} {noun} {bug} {link} {adjective} {noun}.",
        "At {time} {person} {verb} {package} {version}, {package} {version} and {package} {version}.",
        "{person}: {package} {verb} {percent} {noun} files {link} {package}, see revision {token}.",
    )
]

TITLES = [
    parse(text)
    for text in (
        "{Adjective} {noun} {link} the {noun}",
        "Planning the {adjective} {noun} {noun}",
        "{Noun} and {noun} {link} a {adjective} {noun}",
        "A {adjective} {noun} for every {noun}",
        "State of the {noun} {noun}",
        "How the {noun} {verb} the {adjective} {noun}",
    )
]


class Writer:
    def __init__(self, seed):
        # Only random() is used: its sequence is the same in every Python version.
        self.random = Random(seed).random
        self.pool = [self.sentence(PATTERNS) for _ in range(POOL_SIZE)]

    def pick(self, items):
        return items[int(self.random() * len(items))]

    def between(self, low, high):
        return low + int(self.random() * (high - low + 1))

    def sentence(self, patterns):
        return "".join(self.expand(part) for part in self.pick(patterns))

    def expand(self, part):
        if isinstance(part, str):
            return part
        return part(self) if callable(part) else self.pick(part)

    def title(self):
        return self.sentence(TITLES)

    def description(self):
        """Paragraphs of 1.1 to 1.7 kB together: PostgreSQL stores less than 2 kB as it is."""
        length = self.between(1100, 1700)
        text = self.pick(self.pool)
        while len(text) < length:
            text += ("\n\n" if self.random() < 0.15 else " ") + self.pick(self.pool)
        return text

    def renew(self):
        for _ in range(RENEWED_PER_CALL):
            self.pool[int(self.random() * POOL_SIZE)] = self.sentence(PATTERNS)
