import os
import tempfile
from pathlib import Path
from unittest import mock

from django.core.exceptions import ImproperlyConfigured
from django.test import SimpleTestCase

from summit import environment


class EnvironmentTest(SimpleTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def variables(self, **values):
        return mock.patch.dict(os.environ, values, clear=True)

    def file(self, name, content):
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return str(path)

    def test_secret_key(self):
        with self.variables(APP_SECRET_KEY_FILE=self.file("key", "long-key\n")):
            self.assertEqual(environment.secret_key(debug=False), "long-key")
        with self.variables():
            self.assertTrue(environment.secret_key(debug=True))
            with self.assertRaisesMessage(ImproperlyConfigured, "APP_SECRET_KEY_FILE is not set"):
                environment.secret_key(debug=False)
        with self.variables(APP_SECRET_KEY_FILE=str(self.folder / "none")):
            with self.assertRaisesMessage(ImproperlyConfigured, "cannot read"):
                environment.secret_key(debug=True)

    def test_mail(self):
        with self.variables():
            self.assertIn("console", environment.mail()["EMAIL_BACKEND"])
        url = self.file("mail", "smtp://me%40example.org:p%2Fw@mail.example.org:587\n")
        with self.variables(APP_MAIL_URL_FILE=url):
            mail = environment.mail()
        self.assertEqual((mail["EMAIL_HOST"], mail["EMAIL_PORT"]), ("mail.example.org", 587))
        self.assertEqual(mail["EMAIL_HOST_USER"], "me@example.org")
        self.assertEqual(mail["EMAIL_HOST_PASSWORD"], "p/w")
        self.assertTrue(mail["EMAIL_USE_TLS"])
        with self.variables(APP_MAIL_URL_FILE=self.file("mail", "smtps://mail.example.org")):
            mail = environment.mail()
        self.assertEqual((mail["EMAIL_PORT"], mail["EMAIL_USE_SSL"]), (465, True))

    def test_bad_mail_url_is_not_quoted(self):
        for url in ("http://u:hidden@host", "smtp://u:hidden@host:port"):
            with self.variables(APP_MAIL_URL_FILE=self.file("mail", url)):
                with self.assertRaises(ImproperlyConfigured) as caught:
                    environment.mail()
            self.assertNotIn("hidden", str(caught.exception))

    def test_database(self):
        with self.variables():
            self.assertIn("sqlite3", environment.database("file")["ENGINE"])
        with self.variables(PGDATABASE="summit", PGHOST="db", PGUSER="app", PGPASSWORD="x"):
            database = environment.database("file")
        self.assertEqual((database["HOST"], database["PORT"]), ("db", "5432"))
        self.assertNotIn("PASSWORD", database)
        self.assertEqual(database["OPTIONS"]["connect_timeout"], 2)

    def test_theme(self):
        with self.variables():
            self.assertEqual(environment.theme(), (None, "default"))
        self.file("theme.json", '{"name": "Plain", "version": "2"}')
        with self.variables(APP_THEME_DIR=str(self.folder)):
            self.assertEqual(environment.theme(), (self.folder, "Plain 2"))
        for path in (str(self.folder / "none"), "/"):
            with self.variables(APP_THEME_DIR=path), self.assertRaises(ImproperlyConfigured):
                environment.theme()

    def test_flag(self):
        with self.variables(A="1", B="0", C="maybe"):
            self.assertTrue(environment.flag("A"))
            self.assertFalse(environment.flag("B"))
            self.assertFalse(environment.flag("UNSET"))
            with self.assertRaises(ImproperlyConfigured):
                environment.flag("C")
