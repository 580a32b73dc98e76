"""Readers for the environment variables the deployment sets."""

import json
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name, default=""):
    return os.environ.get(name, "").strip() or default


def flag(name):
    value = text(name, "0").lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise ImproperlyConfigured(f"{name} must be 0 or 1, not {value!r}.")


def items(name, default=""):
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def secret(name):
    """The content of the file that variable `name` points to, or None when it is unset."""
    path = text(name)
    if not path:
        return None
    try:
        content = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{name}: {path} is not UTF-8 text.") from None
    if not content:
        raise ImproperlyConfigured(f"{name}: {path} is empty.")
    return content


def secret_key(debug):
    key = secret("APP_SECRET_KEY_FILE")
    if key:
        return key
    if debug:
        return "insecure-key-for-a-laptop-only"
    raise ImproperlyConfigured(
        "APP_SECRET_KEY_FILE is not set. Point it to a file holding a long random key, "
        "or set APP_DEBUG=1 on a laptop."
    )


def mail():
    """EMAIL_* settings. Without APP_MAIL_URL_FILE mail is printed instead of sent."""
    url = secret("APP_MAIL_URL_FILE")
    if url is None:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    # The URL holds a password, so no message here may quote it.
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured("APP_MAIL_URL_FILE: the URL cannot be parsed.") from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ImproperlyConfigured(
            "APP_MAIL_URL_FILE must hold smtp://user:password@host:port or smtps://…"
        )
    encrypted = parts.scheme == "smtps"
    port = port or (465 if encrypted else 25)
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": encrypted,
        # 587 is the submission port, which expects STARTTLS.
        "EMAIL_USE_TLS": not encrypted and port == 587,
        "EMAIL_TIMEOUT": 10,
    }


def theme():
    """(folder or None, label for the footer) of the deployed theme."""
    path = text("APP_THEME_DIR")
    if not path:
        return None, "default"
    folder = Path(path)
    if not folder.is_dir():
        raise ImproperlyConfigured(f"APP_THEME_DIR: {path} is not a folder.")
    try:
        about = json.loads((folder / "theme.json").read_text(encoding="utf-8"))
        return folder, f"{about['name']} {about['version']}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImproperlyConfigured(
            f"APP_THEME_DIR: {path} needs a theme.json with name and version ({error!r})."
        ) from None


def database(sqlite_file):
    name = text("PGDATABASE")
    if not name:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": sqlite_file}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": text("PGUSER"),
        "HOST": text("PGHOST"),
        "PORT": text("PGPORT", "5432"),
        # No PASSWORD: libpq reads it from PGPASSFILE by itself.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,  # Django 4.1 and later; 3.2 ignores it
        "OPTIONS": {
            "connect_timeout": 2,
            # Without these a worker waits many minutes on a database host that vanished.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 8000,
        },
    }


def cache(servers):
    if not servers:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "LOCATION": servers,
        "OPTIONS": {
            "connect_timeout": 0.3,
            "timeout": 0.3,
            "no_delay": True,
            "ignore_exc": True,
            # Leave a dead server alone briefly, so it slows few requests and is found again soon.
            "retry_attempts": 0,
            "dead_timeout": 5,
        },
    }
