"""Arrange the meetings of a conference as one table per day, slots down and rooms across."""

from dataclasses import dataclass, field
from datetime import date

from .models import Room, Slot, by_name


@dataclass
class Row:
    slot: Slot
    cells: list  # of (room, meeting or None)

    @property
    def empty(self):
        return all(meeting is None for _, meeting in self.cells)


@dataclass
class Day:
    date: date
    rooms: list[Room]
    rows: list[Row] = field(default_factory=list)


def days(conference, meetings):
    rooms = sorted(conference.rooms.all(), key=by_name)
    place = {(meeting.slot_id, meeting.room_id): meeting for meeting in meetings}
    zone = conference.zone
    result = {}
    for slot in conference.slots.order_by("starts", "id"):
        # A day is a day where the conference is, not in UTC.
        day = slot.starts.astimezone(zone).date()
        cells = [(room, place.get((slot.pk, room.pk))) for room in rooms]
        result.setdefault(day, Day(day, rooms)).rows.append(Row(slot, cells))
    return list(result.values())
