"""Conferences as rows. A row is a tuple in the order of COLUMNS; its first item is the id."""

import unicodedata
from datetime import date, datetime, time, timedelta, timezone

from django.utils.text import slugify

from ..models import RESERVED_SLUGS
from . import words
from .text import Writer

COLUMNS = {
    "conference": ["id", "name", "slug", "starts", "ends", "timezone"],
    "track": ["id", "conference_id", "name", "slug"],
    "room": ["id", "conference_id", "name", "capacity"],
    "slot": ["id", "conference_id", "starts", "ends"],
    "attendee": ["id", "name", "email", "handle"],
    "meeting": [
        "id", "conference_id", "track_id", "slot_id", "room_id",
        "status", "title", "slug", "description",
    ],
    "attendance": ["id", "meeting_id", "attendee_id", "required"],
}

# Bytes a row takes in PostgreSQL 15 with its indexes, besides the text of a meeting. Measured.
ROW_BYTES = {
    "conference": 280, "track": 135, "room": 135, "slot": 115,
    "attendee": 180, "meeting": 303, "attendance": 130,
}

DAYS = 5
HOURS = [9, 10, 11, 12, 14, 15, 16, 17]  # in UTC; 13 is lunch
NEW_ATTENDEES = 60
PLACE_USED = 0.88
UNPLACED = 0.06
FIRST_START = date(2012, 5, 7)


class Generator:
    """Conferences one after another, until about `size` bytes are made."""

    def __init__(self, seed, size, name, first_ids):
        # Appended data must differ from what the same seed made before.
        self.writer = Writer(f"{seed}:{first_ids['conference']}")
        self.name = name
        self.next_id = dict(first_ids)
        self.left = size
        self.first_attendee = self.next_id["attendee"]

    def __iter__(self):
        while self.left > 0:
            yield self.conference()

    def add(self, batch, table, *values):
        number = self.next_id[table]
        self.next_id[table] = number + 1
        batch[table].append((number, *values))
        self.left -= ROW_BYTES[table]
        return number

    def conference(self):
        writer = self.writer
        writer.renew()
        batch = {table: [] for table in COLUMNS}
        number = self.next_id["conference"]
        starts = FIRST_START - timedelta(weeks=(number - 1) % 1500)
        name = self.name if number == 1 else f"{self.name} {number}"
        slug = slugify(self.name)[:60].strip("-") or "conference"
        if number > 1 or slug in RESERVED_SLUGS:
            slug = f"{slug}-{number}"
        zone = words.TIMEZONES[(number - 1) % len(words.TIMEZONES)]
        ends = starts + timedelta(days=DAYS - 1)
        conference = self.add(batch, "conference", name, slug, starts, ends, zone)

        tracks = [
            self.add(batch, "track", conference, track, slugify(track)) for track in words.TRACKS
        ]
        rooms = [
            self.add(batch, "room", conference, room, capacity) for room, capacity in words.ROOMS
        ]
        slots = []
        for day in range(DAYS):
            for hour in HOURS:
                begin = datetime.combine(starts, time(hour), timezone.utc) + timedelta(days=day)
                slots.append(self.add(batch, "slot", conference, begin, begin + timedelta(minutes=50)))
        for _ in range(NEW_ATTENDEES):
            self.attendee(batch)

        for slot in slots:
            for room in rooms:
                if self.left <= 0:
                    return batch
                if writer.random() < PLACE_USED:
                    self.meeting(batch, conference, writer.pick(tracks), slot, room, "scheduled")
                if writer.random() < UNPLACED:
                    status = "cancelled" if writer.random() < 0.3 else "proposed"
                    self.meeting(batch, conference, writer.pick(tracks), None, None, status)
        return batch

    def attendee(self, batch):
        writer = self.writer
        first, last = writer.pick(words.FIRST_NAMES), writer.pick(words.LAST_NAMES)
        number = self.next_id["attendee"]
        login = f"{plain(first)}.{plain(last)}.{number}"
        handle = f"{plain(first)[:6]}{number}" if writer.random() < 0.8 else ""
        self.add(batch, "attendee", f"{first} {last}", f"{login}@example.org", handle)

    def meeting(self, batch, conference, track, slot, room, status):
        writer = self.writer
        title = writer.title()
        slug = f"{slugify(title)[:60].strip('-')}-{len(batch['meeting']) + 1}"
        text = writer.description()
        meeting = self.add(
            batch, "meeting", conference, track, slot, room, status, title, slug, text
        )
        self.left -= len(text) + len(title) + 2 * len(slug)  # the slug is also in an index
        # Mostly people of the last few conferences come.
        newest = self.next_id["attendee"] - 1
        oldest = max(self.first_attendee, newest - 3 * NEW_ATTENDEES + 1)
        count = writer.between(0, 3)
        start = writer.between(oldest, newest)
        span = newest - oldest + 1
        step = writer.between(1, 7)  # small and fixed, so that nobody is picked twice
        for index in range(count):
            attendee = oldest + (start - oldest + index * step) % span
            self.add(batch, "attendance", meeting, attendee, index < 2)


def plain(name):
    """A name in lower-case ASCII, for an e-mail address."""
    name = name.translate({ord("ł"): "l", ord("Ł"): "L", ord("ø"): "o"})
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
