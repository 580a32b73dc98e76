"""A conference with two meetings, shared by the tests."""

from datetime import date, datetime, timedelta, timezone

from schedule.models import Attendee, Conference, Meeting


def conference():
    found = Conference.objects.create(
        name="Spring Summit", slug="spring", starts=date(2012, 5, 7), ends=date(2012, 5, 8),
        timezone="America/Los_Angeles",
    )
    track = found.tracks.create(name="Security", slug="security")
    # Made in the wrong order, so that a page which does not sort is noticed.
    terrace = found.rooms.create(name="Terrace", capacity=40)
    found.rooms.create(name="Atrium", capacity=80)
    begin = datetime(2012, 5, 7, 16, tzinfo=timezone.utc)
    slots = [
        found.slots.create(starts=begin + delta, ends=begin + delta + timedelta(minutes=50))
        for delta in (timedelta(hours=10), timedelta(hours=0))
    ]
    keys = found.meetings.create(
        track=track, slot=slots[1], room=terrace, status=Meeting.Status.SCHEDULED,
        title="Signing keys", slug="keys", description="First.\n\n<b>Second.</b>",
    )
    found.meetings.create(track=track, title="Password rules", slug="passwords")
    zoe = Attendee.objects.create(name="Zoë Núñez", email="zoe@example.org", handle="zoe")
    ada = Attendee.objects.create(name="Ada Berg", email="ada@example.org")
    ben = Attendee.objects.create(name="Ben Roy", email="ben@example.org")
    for attendee in (zoe, ben, ada):
        keys.attendances.create(attendee=attendee, required=attendee == zoe)
    return found
