"""/health/ tells database and cache apart, within a bounded time and without ever raising."""

import logging
import secrets
import threading
import time

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import JsonResponse

log = logging.getLogger(__name__)


def check_database():
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    finally:
        connection.close()


def check_cache():
    key, value = f"health-{secrets.token_hex(8)}", secrets.token_hex(16)
    if not settings.MEMCACHED_SERVERS:
        cache.set(key, value, 10)
        expect(cache.get(key), value, "local memory")
        return
    from pymemcache.client.base import Client

    # Each server by itself: the usual client hides a failing server on purpose.
    for server in settings.MEMCACHED_SERVERS:
        client = Client(server, connect_timeout=0.5, timeout=0.5, no_delay=True)
        try:
            client.set(key, value.encode(), expire=10, noreply=False)
            expect((client.get(key) or b"").decode(), value, server)
        finally:
            client.close()


def expect(found, value, where):
    if found != value:
        raise RuntimeError(f"cache {where} did not return what was stored")


class Probe:
    """Run a check in a thread, so that even a frozen server cannot hold up the answer.

    The thread also has a database connection of its own, so the check really connects. One
    check runs at a time: a stuck one makes later ones fail instead of piling up threads.
    """

    def __init__(self, check, limit):
        self.check = check
        self.limit = limit
        self.lock = threading.Lock()

    def run(self):
        begun = time.monotonic()
        outcome = []
        if self.lock.acquire(timeout=self.limit):
            thread = threading.Thread(target=self.work, args=[outcome], daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                self.lock.release()
                outcome.append(error)
            else:
                thread.join(max(0.0, self.limit - (time.monotonic() - begun)))
        error = outcome[0] if outcome else TimeoutError(f"no answer within {self.limit} s")
        result = {"ok": error is None, "ms": round((time.monotonic() - begun) * 1000, 1)}
        if error is not None:
            # Only the kind is public; the message can name hosts and users.
            result["error"] = type(error).__name__
            log.warning("%s failed: %s", self.check.__name__, str(error).strip())
        return result

    def work(self, outcome):
        try:
            self.check()
            outcome.append(None)
        except Exception as error:
            outcome.append(error)
        finally:
            self.lock.release()


database_probe = Probe(check_database, limit=2.5)
cache_probe = Probe(check_cache, limit=1.5)


def health():
    database = database_probe.run()
    cached = cache_probe.run()
    status = "down" if not database["ok"] else "ok" if cached["ok"] else "degraded"
    return {
        "status": status,
        "database": database,
        "cache": cached,
        "revision": settings.APP_REVISION,
        "theme_revision": settings.THEME_REVISION,
        "environment": settings.SUMMIT_ENVIRONMENT,
    }


class HealthMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path_info not in ("/health/", "/health"):
            return self.get_response(request)
        report = health()
        response = JsonResponse(report, status=503 if report["status"] == "down" else 200)
        response["Cache-Control"] = "no-store"
        return response
