from django.conf import settings
from django.core.checks import Warning, register

from summit import environment


@register()
def production_database(app_configs, **kwargs):
    engine = settings.DATABASES["default"]["ENGINE"]
    if environment.flag("APP_DEBUG") or not engine.endswith("sqlite3"):
        return []
    # Otherwise a forgotten variable looks like a healthy but empty site.
    return [
        Warning(
            "PGDATABASE is not set, so a local SQLite file is used.",
            hint="Set PGDATABASE, or APP_DEBUG=1 on a laptop.",
            id="schedule.W001",
        )
    ]
