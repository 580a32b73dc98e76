from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import TestCase

from schedule.models import Conference, Meeting

from . import example


class ConstraintTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.conference = example.conference()
        cls.keys = Meeting.objects.get(slug="keys")
        cls.passwords = Meeting.objects.get(slug="passwords")

    def refused(self, item):
        with self.assertRaises(IntegrityError), transaction.atomic():
            item.save()

    def test_one_meeting_per_place(self):
        self.passwords.slot, self.passwords.room = self.keys.slot, self.keys.room
        self.passwords.status = Meeting.Status.SCHEDULED
        self.refused(self.passwords)

    def test_place_fits_status(self):
        self.passwords.status = Meeting.Status.SCHEDULED
        self.refused(self.passwords)
        self.keys.status = Meeting.Status.CANCELLED
        self.refused(self.keys)

    def test_conference_ends_after_it_starts(self):
        self.conference.ends = "2012-05-01"
        self.refused(self.conference)

    def test_slugs_are_unique_per_conference(self):
        self.passwords.slug = "keys"
        self.refused(self.passwords)

    def test_reserved_slug_and_unknown_timezone(self):
        bad = Conference(
            name="X", slug="health", starts="2012-01-01", ends="2012-01-01", timezone="Mars/Base"
        )
        with self.assertRaises(ValidationError) as caught:
            bad.full_clean()
        self.assertEqual(set(caught.exception.message_dict), {"slug", "timezone"})

    def test_meeting_stays_inside_its_conference(self):
        other = Conference.objects.create(
            name="Other", slug="other", starts="2013-01-01", ends="2013-01-01"
        )
        self.passwords.track = other.tracks.create(name="T", slug="t")
        with self.assertRaises(ValidationError):
            self.passwords.full_clean()

    def test_a_conference_can_be_deleted_with_all_it_holds(self):
        self.conference.delete()
        self.assertFalse(Meeting.objects.exists())
