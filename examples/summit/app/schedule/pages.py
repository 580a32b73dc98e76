"""The `page` decorator: a page comes from the cache, else the database, else is a clear 503."""

import hashlib
import logging
from functools import wraps

from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

log = logging.getLogger(__name__)


def page(view):
    @require_safe
    @wraps(view)
    def cached(request, **names):
        key = page_key(request)
        # A forced reload lets an operator see the database and not what is left in the cache.
        body = None if "no-cache" in request.headers.get("Cache-Control", "") else read(key)
        if body is not None:
            return finish(HttpResponse(body), "hit")
        try:
            response = answer(view, request, names)
        except (OperationalError, InterfaceError) as error:
            log.error("database unavailable for %s: %s", request.path, str(error).strip())
            response = render(request, "schedule/unavailable.html", status=503)
            response["Retry-After"] = "5"
        if response.status_code == 200:
            write(key, response.content)
        return finish(response, "miss")

    return cached


def finish(response, state):
    response["X-Summit-Cache"] = state
    response["Cache-Control"] = "no-cache"
    return response


def answer(view, request, names):
    reused = connection.connection is not None
    try:
        return view(request, **names)
    except (OperationalError, InterfaceError):
        # A kept connection dies when the database restarts or moves; a new one may work.
        if not reused or connection.in_atomic_block:
            raise
        connection.close()
        return view(request, **names)


def page_key(request):
    # The footer is part of the page, so what it shows is part of the key. Of the query only
    # the page number counts, or made-up parameters could flood the cache.
    parts = [
        settings.SUMMIT_ENVIRONMENT,
        settings.APP_REVISION,
        settings.THEME_REVISION,
        settings.THEME_LABEL,
        request.path,
        request.GET.get("page", ""),
    ]
    return "page-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()


def read(key):
    try:
        return cache.get(key)
    except Exception as error:  # a broken cache must never break a page
        log.warning("cache read failed: %r", error)
        return None


def write(key, body):
    try:
        cache.set(key, body, settings.PAGE_CACHE_SECONDS)
    except Exception as error:
        log.warning("cache write failed: %r", error)
