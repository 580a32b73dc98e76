import re
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import TestCase, override_settings

from schedule import views
from schedule.models import Conference

from . import example

THEME = Path(settings.BASE_DIR).parent / "theme"
NOTHING_LISTENS = {
    "default": {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "LOCATION": ["127.0.0.1:1"],
        "OPTIONS": settings.CACHES["default"].get("OPTIONS", {"ignore_exc": True}),
    }
}
NOTHING_LISTENS_AND_RAISES = {"default": {**NOTHING_LISTENS["default"], "OPTIONS": {}}}


class PageTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.conference = example.conference()

    def setUp(self):
        cache.clear()

    def text(self, path):
        response = self.client.get(path)
        self.assertEqual(response.status_code, 200)
        return response.content.decode()


class ContentTest(PageTest):
    def test_front_page_lists_conferences(self):
        self.assertInHTML('<a href="/spring/">Spring Summit</a>', self.text("/"))

    def test_schedule_is_a_table_of_slots_and_rooms(self):
        page = self.text("/spring/")
        self.assertEqual(page.count("<caption>"), 1)
        self.assertIn("<caption>Monday, 7 May 2012</caption>", page)
        rooms = re.findall(r'<th scope="col">(\w+) <small>', page)
        self.assertEqual(rooms, ["Atrium", "Terrace"])
        # 16:00 UTC in Los Angeles; the slot at 02:00 UTC is on the same day there.
        self.assertEqual(re.findall(r">(\d\d:\d\d)</time>", page), ["09:00", "19:00"])
        self.assertIn('<a href="/spring/meeting/keys/">Signing keys</a>', page)
        self.assertNotIn("Password rules", page)

    def test_meeting_shows_people_required_first_and_escapes_text(self):
        page = self.text("/spring/meeting/keys/")
        names = re.findall(r"<li>([^<]+?)\s*<", page)
        self.assertEqual(names, ["Zoë Núñez", "Ada Berg", "Ben Roy"])
        self.assertIn("&lt;b&gt;Second.&lt;/b&gt;", page)

    def test_track_lists_placed_and_other_meetings(self):
        page = self.text("/spring/track/security/")
        self.assertIn("Signing keys", page)
        self.assertIn("Password rules", page)

    def test_missing_pages(self):
        for path in (
            "/autumn/", "/spring/meeting/none/", "/spring/track/none/",
            "/?page=2", "/?page=x", "/?page=0",
        ):
            self.assertEqual(self.client.get(path).status_code, 404, path)

    def test_only_reading(self):
        self.assertEqual(self.client.post("/spring/").status_code, 405)

    def test_conferences_are_paged(self):
        with mock.patch.object(views, "CONFERENCES_PER_PAGE", 1):
            Conference.objects.create(
                name="Old", slug="old", starts="2011-05-01", ends="2011-05-02"
            )
            self.assertIn("Spring Summit", self.text("/"))
            self.assertIn("Old", self.text("/?page=2"))


class FooterTest(PageTest):
    def test_only_the_one_footer_line_differs_between_environments(self):
        pages = []
        for name in ("production", "recovery"):
            with override_settings(SUMMIT_ENVIRONMENT=name, APP_REVISION=f"rev-{name}"):
                page = self.text("/spring/")
            footer = [line for line in page.splitlines() if "<footer data-volatile>" in line]
            self.assertEqual(len(footer), 1)
            self.assertIn(name, footer[0])
            self.assertIn(f"rev-{name}", footer[0])
            self.assertTrue(footer[0].endswith("</footer>"))
            pages.append([line for line in page.splitlines() if line not in footer])
        self.assertEqual(*pages)

    def test_theme_extends_the_page_and_keeps_the_footer(self):
        engine = {**settings.TEMPLATES[0], "DIRS": [THEME / "templates"]}
        with override_settings(TEMPLATES=[engine], THEME_LABEL="Canopy 1.0"):
            page = self.text("/")
        self.assertIn("Canopy Summit", page)
        self.assertIn("/static/theme.css", page)
        self.assertRegex(page, r"<footer data-volatile>.*Canopy 1\.0.*</footer>")


class CacheTest(PageTest):
    def state(self, path="/spring/", **headers):
        response = self.client.get(path, **headers)
        self.assertEqual(response.status_code, 200)
        return response["X-Summit-Cache"]

    def test_miss_then_hit_with_the_same_page(self):
        first, second = self.client.get("/spring/"), self.client.get("/spring/")
        self.assertEqual(first["X-Summit-Cache"], "miss")
        self.assertEqual(second["X-Summit-Cache"], "hit")
        self.assertEqual(first.content, second.content)
        self.assertEqual(first["Content-Type"], second["Content-Type"])

    def test_a_hit_needs_no_database(self):
        self.state()
        with self.assertNumQueries(0):
            self.assertEqual(self.state(), "hit")

    def test_unknown_parameters_share_the_page(self):
        self.state()
        self.assertEqual(self.state("/spring/?x=1"), "hit")

    def test_forced_reload_reads_the_database(self):
        self.state()
        self.assertEqual(self.state(HTTP_CACHE_CONTROL="no-cache"), "miss")

    def test_another_revision_does_not_get_the_old_page(self):
        self.state()
        with override_settings(APP_REVISION="next"):
            self.assertEqual(self.state(), "miss")

    def test_missing_pages_are_not_cached(self):
        self.client.get("/autumn/")
        self.conference.slug = "autumn"
        self.conference.save()
        self.assertEqual(self.state("/autumn/"), "miss")

    @override_settings(CACHES=NOTHING_LISTENS)
    def test_pages_work_without_memcached(self):
        self.assertEqual([self.state(), self.state()], ["miss", "miss"])

    @override_settings(CACHES=NOTHING_LISTENS_AND_RAISES)
    def test_pages_work_when_the_cache_client_raises(self):
        with self.assertLogs("schedule.pages", "WARNING"):
            self.assertEqual([self.state(), self.state()], ["miss", "miss"])


class DatabaseDownTest(PageTest):
    def test_page_is_a_plain_503(self):
        with self.broken(OperationalError("server gone")), self.assertLogs("schedule.pages"):
            response = self.client.get("/spring/")
        self.assertEqual(response.status_code, 503)
        self.assertEqual(response["Retry-After"], "5")
        self.assertContains(response, "unavailable", status_code=503)

    def test_cached_page_is_still_served(self):
        self.client.get("/spring/")
        with self.broken(OperationalError("server gone")):
            self.assertEqual(self.client.get("/spring/").status_code, 200)

    def test_a_dead_kept_connection_is_replaced_once(self):
        calls = []

        def view(request):
            calls.append(request)
            if len(calls) == 1:
                raise OperationalError("server closed the connection unexpectedly")
            return "answer"

        from schedule.pages import answer

        with mock.patch.object(connection, "in_atomic_block", False), mock.patch.object(
            connection, "close"
        ) as close:
            self.assertEqual(answer(view, "request", {}), "answer")
        close.assert_called_once_with()

    def broken(self, error):
        return mock.patch("schedule.views.get_object_or_404", side_effect=error)
