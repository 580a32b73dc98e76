"""All settings come from the environment; see the README for the list."""

from importlib.util import find_spec
from pathlib import Path

from . import environment

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = environment.flag("APP_DEBUG")
SECRET_KEY = environment.secret_key(DEBUG)
ALLOWED_HOSTS = environment.items("APP_ALLOWED_HOSTS", "*")

APP_REVISION = environment.text("APP_REVISION", "unknown")
THEME_REVISION = environment.text("THEME_REVISION", "none")
SUMMIT_ENVIRONMENT = environment.text("SUMMIT_ENVIRONMENT", "laptop")
THEME_DIR, THEME_LABEL = environment.theme()

INSTALLED_APPS = [
    "schedule",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    # First, so that a health check needs no valid Host header, session or page.
    "schedule.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "summit.urls"
WSGI_APPLICATION = "summit.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [THEME_DIR / "templates"] if THEME_DIR else [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "schedule.context.deployment",
            ],
        },
    },
]

DATABASES = {"default": environment.database(BASE_DIR / "db.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MEMCACHED_SERVERS = environment.items("MEMCACHED_SERVERS")
CACHES = {"default": environment.cache(MEMCACHED_SERVERS)}
PAGE_CACHE_SECONDS = 60

STATIC_URL = "/static/"
STATIC_ROOT = environment.text("APP_STATIC_ROOT") or None
STATICFILES_DIRS = []
if THEME_DIR and (THEME_DIR / "static").is_dir():
    STATICFILES_DIRS.append(THEME_DIR / "static")
if STATIC_ROOT and find_spec("whitenoise"):
    # Faster than the view in urls.py, which serves the same files without this package.
    MIDDLEWARE.insert(2, "whitenoise.middleware.WhiteNoiseMiddleware")

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

# A proxy is trusted only to end TLS; cookies then never travel over plain HTTP.
if environment.flag("APP_TRUSTED_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

globals().update(environment.mail())

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # Django's own handlers would print each line twice and mail errors to nobody.
    "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
}
