import hashlib
import io
import json

from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, TestCase

from schedule.generate.load import MODELS, encode
from schedule.generate.rows import Generator
from schedule.management.commands.generate_schedule import parse_size
from schedule.models import Attendance, Attendee, Conference, Meeting


def digest(seed=42, name="Summit", first=1):
    result = hashlib.sha256()
    for batch in Generator(seed, 2_000_000, name, dict.fromkeys(MODELS, first)):
        result.update(repr(batch).encode())
    return result.hexdigest()


def generate(**options):
    out = io.StringIO()
    call_command("generate_schedule", size="1MB", json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def summary():
    out = io.StringIO()
    call_command("schedule_summary", json=True, stdout=out)
    return json.loads(out.getvalue())


class GeneratorTest(SimpleTestCase):
    def test_same_seed_same_data(self):
        self.assertEqual(digest(), digest())

    def test_data_of_this_release(self):
        # Known on every Python and Django version. A change here changes everybody's data.
        self.assertEqual(digest()[:16], "feefbe4685d0e8ca")

    def test_other_seed_or_place_other_data(self):
        self.assertEqual(len({digest(), digest(seed=43), digest(first=2)}), 3)

    def test_ids_and_references(self):
        batches = list(Generator(1, 3_000_000, "Summit", dict.fromkeys(MODELS, 1)))
        self.assertGreater(len(batches), 2)
        seen = {name: set() for name in MODELS}
        for batch in batches:
            for name, rows in batch.items():
                for row in rows:
                    self.assertNotIn(row[0], seen[name])
                    seen[name].add(row[0])
            pairs = [(row[1], row[2]) for row in batch["attendance"]]
            self.assertEqual(len(pairs), len(set(pairs)))
            self.assertLessEqual({attendee for _, attendee in pairs}, seen["attendee"])

    def test_sizes(self):
        self.assertEqual(parse_size("1MB"), 1_000_000)
        self.assertEqual(parse_size("1.5 GB"), 1_500_000_000)
        self.assertEqual(parse_size("2GiB"), 2 * 1024**3)
        for bad in ("10", "MB", "-1MB", "999KB", "1PB"):
            with self.assertRaises(CommandError, msg=bad):
                parse_size(bad)

    def test_copy_encoding(self):
        self.assertEqual(encode(None), "\\N")
        self.assertEqual(encode("a\\b\tc\nd\re"), "a\\\\b\\tc\\nd\\re")
        self.assertEqual(encode(True), "True")


class CommandTest(TestCase):
    def test_fills_every_table_and_reports_it(self):
        result = generate(seed=7, conference="Fête d'été")
        stored = {name: model.objects.count() for name, model in MODELS.items()}
        self.assertEqual(result["rows"], stored)
        self.assertEqual(summary(), {"rows": stored, "total": result["total"]})
        self.assertTrue(all(stored.values()))

        conference = Conference.objects.earliest("id")
        conference.full_clean()
        self.assertEqual((conference.name, conference.slug), ("Fête d'été", "fete-dete"))
        for meeting in Meeting.objects.all()[:50]:
            meeting.full_clean()
        self.assertEqual(self.client.get("/fete-dete/").status_code, 200)

    def test_size_is_about_right(self):
        generate()
        text = sum(len(item) for item in Meeting.objects.values_list("description", flat=True))
        self.assertTrue(500_000 < text < 1_000_000, text)

    def test_refuses_existing_data_unless_told_to_append(self):
        first = generate()
        with self.assertRaisesMessage(CommandError, "--append"):
            generate()
        second = generate(append=True)
        self.assertEqual(summary()["total"], first["total"] + second["total"])
        slugs = Conference.objects.order_by("id").values_list("slug", flat=True)
        self.assertEqual(list(slugs), ["example-summit"] + [
            f"example-summit-{number}" for number in range(2, len(slugs) + 1)
        ])

    def test_new_rows_get_free_ids(self):
        generate()
        last = Attendee.objects.latest("id").pk
        person = Attendee.objects.create(name="New", email="new@example.org")
        self.assertEqual(person.pk, last + 1)
        last = Attendance.objects.latest("id").pk
        attendance = person.attendances.create(meeting=Meeting.objects.earliest("id"))
        self.assertEqual(attendance.pk, last + 1)
