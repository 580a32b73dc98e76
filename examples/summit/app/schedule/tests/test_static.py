import tempfile
from pathlib import Path

from django.test import SimpleTestCase, override_settings


class StaticTest(SimpleTestCase):
    """Without whitenoise the app serves collected files itself."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name) / "root"
        (self.root / "css").mkdir(parents=True)
        (self.root / "css" / "a.css").write_text("body {}")
        (self.root.parent / "secret").write_text("hidden")

    def status(self, path):
        with override_settings(STATIC_ROOT=str(self.root)):
            response = self.client.get(path)
            response.close()
            return response.status_code

    def test_serves_collected_files_only(self):
        self.assertEqual(self.status("/static/css/a.css"), 200)
        for path in ("/static/css/", "/static/none.css"):
            self.assertEqual(self.status(path), 404, path)
        for path in ("/static/../secret", "/static/%2e%2e/secret"):
            self.assertIn(self.status(path), (400, 404), path)

    @override_settings(STATIC_ROOT=None)
    def test_nothing_collected(self):
        self.assertEqual(self.client.get("/static/css/a.css").status_code, 404)
