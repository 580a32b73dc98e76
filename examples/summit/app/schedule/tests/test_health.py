import threading
import time
from unittest import mock

from django.db import OperationalError
from django.test import SimpleTestCase, TestCase, override_settings

from schedule import health


class HealthTest(TestCase):
    def ask(self, path="/health/", **headers):
        response = self.client.get(path, **headers)
        self.assertEqual(response["Cache-Control"], "no-store")
        return response.status_code, response.json()

    @override_settings(MEMCACHED_SERVERS=[], APP_REVISION="r1", SUMMIT_ENVIRONMENT="trial")
    def test_all_well(self):
        status, report = self.ask()
        self.assertEqual(status, 200)
        self.assertEqual(report["status"], "ok")
        self.assertTrue(report["database"]["ok"])
        self.assertTrue(report["cache"]["ok"])
        self.assertGreaterEqual(report["database"]["ms"], 0)
        self.assertEqual((report["revision"], report["environment"]), ("r1", "trial"))

    @override_settings(MEMCACHED_SERVERS=["127.0.0.1:1"])
    def test_cache_down_is_degraded(self):
        with self.assertLogs("schedule.health", "WARNING"):
            status, report = self.ask()
        self.assertEqual((status, report["status"]), (200, "degraded"))
        self.assertTrue(report["database"]["ok"])
        self.assertFalse(report["cache"]["ok"])

    @override_settings(MEMCACHED_SERVERS=[])
    def test_database_down_is_503_and_keeps_the_message_private(self):
        error = OperationalError('connection to "db.internal" refused')
        with mock.patch.object(health.database_probe, "check", failing(error)):
            with self.assertLogs("schedule.health", "WARNING"):
                response = self.client.get("/health/")
        self.assertEqual(response.status_code, 503)
        report = response.json()
        self.assertEqual(report["status"], "down")
        self.assertEqual(report["database"]["error"], "OperationalError")
        self.assertTrue(report["cache"]["ok"])
        self.assertNotIn("internal", response.content.decode())

    @override_settings(MEMCACHED_SERVERS=["127.0.0.1:1"])
    def test_both_down_is_down(self):
        with mock.patch.object(health.database_probe, "check", failing(OSError("no"))):
            with self.assertLogs("schedule.health", "WARNING"):
                status, report = self.ask()
        self.assertEqual((status, report["status"]), (503, "down"))
        self.assertFalse(report["cache"]["ok"])

    @override_settings(MEMCACHED_SERVERS=[], ALLOWED_HOSTS=["summit.example.org"])
    def test_needs_neither_the_right_host_nor_the_slash(self):
        self.assertEqual(self.ask("/health", HTTP_HOST="10.0.0.1")[0], 200)
        self.assertEqual(self.client.get("/", HTTP_HOST="10.0.0.1").status_code, 400)


class ProbeTest(SimpleTestCase):
    def test_frozen_check_is_given_up_and_does_not_pile_up_threads(self):
        release = threading.Event()

        def check_frozen():
            release.wait(10)

        probe = health.Probe(check_frozen, limit=0.1)
        before = threading.active_count()
        begun = time.monotonic()
        with self.assertLogs("schedule.health", "WARNING"):
            results = [probe.run() for _ in range(3)]
        self.assertLess(time.monotonic() - begun, 2)
        self.assertEqual([item["ok"] for item in results], [False] * 3)
        self.assertEqual(results[0]["error"], "TimeoutError")
        self.assertEqual(threading.active_count(), before + 1)

        release.set()
        probe.check = lambda: None
        probe.limit = 2
        self.assertTrue(probe.run()["ok"])


def failing(error):
    def check_failing():
        raise error

    return check_failing
